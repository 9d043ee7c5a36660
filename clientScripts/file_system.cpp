#include "file_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace quire {
namespace {

bool has_zero_byte(const std::string& path) { return path.find('\0') != path.npos; }

// The kind of file, links followed; 0 where that cannot be found out.
mode_t kind_of(const std::string& path) {
  struct stat status {};
  if (has_zero_byte(path) || ::stat(path.c_str(), &status) != 0) return 0;
  return status.st_mode & S_IFMT;
}

// Where the last component begins.
std::size_t name_start(const std::string& path) { return path.rfind('/') + 1; }

using OpenFolder = std::unique_ptr<DIR, int (*)(DIR*)>;

constexpr std::string_view cannot_list = "cannot list";

// An entry of the folder. Most file systems tell the kind of an entry in the listing itself.
FolderEntry describe(const OpenFolder& folder, const dirent& entry) {
  unsigned char type = entry.d_type;
  const int fd = ::dirfd(folder.get());
  struct stat status {};
  if (type == DT_UNKNOWN && ::fstatat(fd, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    type = IFTODT(status.st_mode);
  if (type != DT_LNK) return {entry.d_name, type == DT_DIR, false};
  return {entry.d_name, ::fstatat(fd, entry.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode), true};
}

std::vector<FolderEntry> list(const OpenFolder& open, const std::string& folder) {
  if (!open) throw FileError(errno, cannot_list, folder);
  std::vector<FolderEntry> entries;
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(open.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") entries.push_back(describe(open, *entry));
  }
  if (errno != 0) throw FileError(errno, cannot_list, folder);
  return entries;
}

}  // namespace

FileError::FileError(int error, std::string_view doing, std::string path)
    : std::system_error(error, std::generic_category()),
      path_(std::move(path)),
      sentence_(std::string(doing) + " " + path_ + ": " + code().message() + ".") {}

const char* native(const std::string& path, std::string_view doing) {
  if (has_zero_byte(path)) throw FileError(EINVAL, doing, path);
  return path.c_str();
}

bool is_directory(const std::string& path) { return kind_of(path) == S_IFDIR; }

bool is_file(const std::string& path) { return kind_of(path) == S_IFREG; }

bool exists(const std::string& path) { return kind_of(path) != 0; }

bool is_link(const std::string& path) {
  struct stat status {};
  return !has_zero_byte(path) && ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

std::string join(const std::string& folder, const std::string& name) {
  return folder.empty() || folder.ends_with('/') ? folder + name : folder + "/" + name;
}

std::string without_slashes(const std::string& path) {
  const std::size_t last = path.find_last_not_of('/');
  return last == path.npos ? path : path.substr(0, last + 1);
}

std::string parent_of(const std::string& path) { return without_slashes(path.substr(0, name_start(path))); }

std::string name_of(const std::string& path) {
  const std::string trimmed = without_slashes(path);
  return trimmed.substr(name_start(trimmed));
}

std::vector<FolderEntry> list_folder(const std::string& folder) {
  return list(OpenFolder(::opendir(native(folder, cannot_list)), &::closedir), folder);
}

std::vector<FolderEntry> list_folder(int descriptor, const std::string& folder) {
  // Opened anew: the position in the listing belongs to what is open, not to its number.
  const int own = ::openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  OpenFolder open(own == -1 ? nullptr : ::fdopendir(own), &::closedir);
  if (!open && own != -1) ::close(own);
  return list(open, folder);
}

bool holds_files(const std::string& folder) {
  std::vector<std::string> unseen{folder};
  while (!unseen.empty()) {
    const std::string current = std::move(unseen.back());
    unseen.pop_back();
    try {
      for (const FolderEntry& entry : list_folder(current)) {
        if (!entry.folder) return true;
        if (!entry.link) unseen.push_back(join(current, entry.name));
      }
    } catch (const FileError&) {
      continue;
    }
  }
  return false;
}

void make_folder(const std::string& path) {
  constexpr std::string_view doing = "cannot make the folder";
  if (::mkdir(native(path, doing), 0777) != 0) throw FileError(errno, doing, path);
}

void make_folders(const std::string& path) {
  const std::string parent = parent_of(without_slashes(path));
  if (!parent.empty() && !exists(parent)) {
    try {
      make_folders(parent);
    } catch (const FileError& error) {
      if (error.error() != EEXIST) throw;  // somebody else was faster, or what is there will be told below
    }
    if (name_of(path) == ".") return;
  }
  make_folder(path);
}

void remove_file(const std::string& path) {
  constexpr std::string_view doing = "cannot remove";
  if (::unlink(native(path, doing)) != 0) throw FileError(errno, doing, path);
}

}  // namespace quire
