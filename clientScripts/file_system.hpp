// The file system as the client scripts ask about it: the questions of Python's os and os.path, answered as
// Python answers them, since the scripts must do what the Python scripts of the same function do.
//
// A path is bytes. One that holds a zero byte names nothing: a question about it is answered with false, and
// what would change something throws; it is never cut off there.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace quire {

// Something that the system refused. what(): "cannot list /a: Permission denied."
class FileError : public std::system_error {
 public:
  // doing: what could not be done, as a verb with its object's name to follow: "cannot list".
  FileError(int error, std::string_view doing, std::string path);

  int error() const { return code().value(); }
  const std::string& path() const { return path_; }
  const char* what() const noexcept override { return sentence_.c_str(); }

 private:
  std::string path_;
  std::string sentence_;
};

// What the system can use. Throws FileError when the path holds a zero byte.
const char* native(const std::string& path, std::string_view doing);

// Links are followed. False, too, where it cannot be found out: a broken or looping link, a folder on the way
// that may not be searched.
bool is_directory(const std::string& path);
bool is_file(const std::string& path);
bool exists(const std::string& path);
// The link itself; a path that ends with a slash is what the link points to.
bool is_link(const std::string& path);

// name below folder: a slash between, unless folder is empty or ends with one. REQUIRES: name is relative
std::string join(const std::string& folder, const std::string& name);
// All before the last slash, without slashes at its end unless it has nothing else; "" where there is none.
std::string parent_of(const std::string& path);
// All after the last slash; slashes at the end do not count.
std::string name_of(const std::string& path);
// Without slashes at its end, unless it has nothing else.
std::string without_slashes(const std::string& path);

struct FolderEntry {
  std::string name;
  bool folder = false;  // links followed; false where that cannot be found out
  bool link = false;
};

// What a folder holds, but for "." and "..", in the order of the folder. Throws FileError.
std::vector<FolderEntry> list_folder(const std::string& folder);
// The same for a folder that is open; it stays so. folder: its path, for the error.
std::vector<FolderEntry> list_folder(int descriptor, const std::string& folder);

// Whether the folder, or one below it, holds anything that is not a folder. Linked folders are not entered
// (but folder itself may be a link), those that cannot be listed are passed over; false where nothing can be
// listed at all.
bool holds_files(const std::string& folder);

// 0777 less the umask. Throw FileError, also where the folder exists.
void make_folder(const std::string& path);
// With the folders above it, as far as they do not exist.
void make_folders(const std::string& path);

// A file or a link. Throws FileError.
void remove_file(const std::string& path);

}  // namespace quire
