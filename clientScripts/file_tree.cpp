// Removal, copies and moves are one room: a move to another file system is a copy and a removal, and what makes it
// safe is how the three are put together.
#include "file_tree.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <utility>

#include "python_text.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ != -1) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// -- Removal

constexpr std::string_view cannot_remove = "cannot remove";

enum class Remove { everything, folders_and_links };

// Never leaves the folder, even when somebody puts a link in the place of a folder meanwhile.
void remove_content(int folder, const std::string& path, Remove what) {
  for (const FolderEntry& entry : list_folder(folder, path)) {
    const std::string below = join(path, entry.name);
    const char* const name = entry.name.c_str();
    if (entry.folder && !entry.link) {
      const Descriptor inner(::openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (inner.get() == -1) throw FileError(errno, cannot_remove, below);
      remove_content(inner.get(), below, what);
      if (::unlinkat(folder, name, AT_REMOVEDIR) != 0) throw FileError(errno, cannot_remove, below);
    } else if (entry.link || what == Remove::everything) {
      if (::unlinkat(folder, name, 0) != 0) throw FileError(errno, cannot_remove, below);
    } else {
      const std::string sentence =
          "cannot remove " + path + ": " + below + " has not been moved; move it by hand.";
      throw TreeError(sentence, "RuntimeError", sentence);
    }
  }
}

void remove_folder(const std::string& path, Remove what) {
  if (is_link(path)) {
    throw TreeError("cannot remove " + path + ": it is a symbolic link; name the folder that it points to.",
                    "OSError", "Cannot call rmtree on a symbolic link");
  }
  {
    const Descriptor folder(
        ::open(native(path, cannot_remove), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder.get() == -1) throw FileError(errno, cannot_remove, path);
    remove_content(folder.get(), path, what);
  }
  if (::rmdir(path.c_str()) != 0) throw FileError(errno, cannot_remove, path);
}

// -- Copies

// Those that the file system does not know or our rights do not allow are left out.
void copy_attributes(const std::string& from, const std::string& to, Links links) {
  static const std::set<int> harmless{EPERM, ENOTSUP, ENODATA, EINVAL};
  const bool follow = links == Links::follow;
  std::vector<char> names(XATTR_LIST_MAX);
  const ssize_t size = follow ? ::listxattr(from.c_str(), names.data(), names.size())
                              : ::llistxattr(from.c_str(), names.data(), names.size());
  if (size == -1 && !harmless.contains(errno)) throw FileError(errno, "cannot read the attributes of", from);
  std::vector<char> value(size > 0 ? XATTR_SIZE_MAX : 0);
  for (const char* name = names.data(); name < names.data() + size;
       name += std::string_view(name).size() + 1) {
    const ssize_t length = follow ? ::getxattr(from.c_str(), name, value.data(), value.size())
                                  : ::lgetxattr(from.c_str(), name, value.data(), value.size());
    if (length != -1 && ::lsetxattr(to.c_str(), name, value.data(), static_cast<std::size_t>(length), 0) == 0)
      continue;
    if (!harmless.contains(errno)) throw FileError(errno, "cannot copy the attributes of", from);
  }
}

// Times, extended attributes and the mode, in this order: a mode may forbid the attributes. `to` is not a
// link where links are followed.
void copy_metadata(const std::string& from, const std::string& to, Links links) {
  struct stat status {};
  if (::fstatat(AT_FDCWD, from.c_str(), &status, links == Links::follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0)
    throw FileError(errno, "cannot copy the times of", from);
  const std::array<timespec, 2> times{status.st_atim, status.st_mtim};
  if (::utimensat(AT_FDCWD, to.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    throw FileError(errno, "cannot set the times of", to);
  copy_attributes(from, to, links);
  if (links == Links::follow && ::chmod(to.c_str(), status.st_mode & 07777) != 0)
    throw FileError(errno, "cannot set the mode of", to);
}

void write_all(int to, const char* bytes, std::size_t size, const std::string& path) {
  while (size > 0) {
    const ssize_t written = ::write(to, bytes, size);
    if (written == -1 && errno == EINTR) continue;
    if (written == -1) throw FileError(errno, "cannot write", path);
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

// sendfile() spares the way through our memory; not every file system has it.
void copy_content(int in, const std::string& from, int out, const std::string& to) {
  constexpr std::size_t most = 1 << 30;
  ssize_t sent = 0;
  do sent = ::sendfile(out, in, nullptr, most);
  while (sent > 0 || (sent == -1 && errno == EINTR));
  if (sent == 0) return;
  if (errno != EINVAL && errno != ENOSYS) throw FileError(errno, "cannot copy " + from + " to", to);
  std::vector<char> block(1 << 20);
  while (true) {
    const ssize_t size = ::read(in, block.data(), block.size());
    if (size == -1 && errno == EINTR) continue;
    if (size == -1) throw FileError(errno, "cannot read", from);
    if (size == 0) return;
    write_all(out, block.data(), static_cast<std::size_t>(size), to);
  }
}

// A file beside another one, under a name that nobody has. Gone with its owner, unless it was put in its
// place.
class FileBeside {
 public:
  explicit FileBeside(const std::string& target)
      : target_(target),
        path_(join(parent_of(target), ".quire-XXXXXX")),
        fd_(::mkostemp(path_.data(), O_CLOEXEC)) {
    if (fd_ == -1) throw FileError(errno, "cannot write", target_);
  }
  ~FileBeside() {
    if (fd_ != -1) ::close(fd_);
    if (!in_place_) ::unlink(path_.c_str());
  }
  FileBeside(const FileBeside&) = delete;
  FileBeside& operator=(const FileBeside&) = delete;

  int descriptor() const { return fd_; }
  const std::string& path() const { return path_; }

  // Some file systems tell only here that the content could not be written.
  void close() {
    if (::close(std::exchange(fd_, -1)) != 0) throw FileError(errno, "cannot write", target_);
  }

  void put_in_place() {
    if (::rename(path_.c_str(), target_.c_str()) != 0) throw FileError(errno, "cannot write", target_);
    in_place_ = true;
  }

 private:
  std::string target_;
  std::string path_;
  int fd_;
  bool in_place_ = false;
};

// The target has the old content or all of the new one, never a part.
void copy_file(const std::string& from, const std::string& to) {
  struct stat status {};
  if (::stat(native(from, "cannot read"), &status) == 0 && !S_ISREG(status.st_mode) &&
      !S_ISDIR(status.st_mode)) {
    const std::string sentence = "cannot copy " + from + ": it is a pipe, a socket or a device.";
    if (S_ISFIFO(status.st_mode))
      throw TreeError(sentence, "SpecialFileError", "`" + from + "` is a named pipe");
    throw TreeError(sentence, "SpecialFileError", sentence);
  }
  const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() == -1) throw FileError(errno, "cannot read", from);
  native(to, "cannot write");
  FileBeside out(to);
  copy_content(in.get(), from, out.descriptor(), to);
  out.close();
  copy_metadata(from, out.path(), Links::follow);
  out.put_in_place();
}

std::string read_link(const std::string& path) {
  std::error_code error;
  const fs::path target = fs::read_symlink(native(path, "cannot read"), error);
  if (error) throw FileError(error.value(), "cannot read", path);
  return target;
}

void copy_link(const std::string& from, const std::string& to) {
  if (::symlink(read_link(from).c_str(), native(to, "cannot make the link")) != 0)
    throw FileError(errno, "cannot make the link", to);
}

std::string python_reason(const FileError& error) {
  return "[Errno " + std::to_string(error.error()) + "] " + error.code().message() + ": " +
         display(std::string_view(error.path()));
}

// Runs copy(), and keeps what it could not do.
template <typename Copy>
void attempt(std::vector<CopyIncomplete::Failure>& failures, const std::string& from, const std::string& to,
             Copy&& copy) {
  try {
    copy();
  } catch (const FileError& error) {
    failures.push_back({from, to, error.what(), python_reason(error)});
  } catch (const TreeError& error) {
    failures.push_back({from, to, error.what(), error.python_message()});
  } catch (const CopyIncomplete& error) {
    failures.insert(failures.end(), error.failures().begin(), error.failures().end());
  }
}

void copy_entry(const FolderEntry& entry, const std::string& from, const std::string& to, Links links) {
  if (entry.link && links == Links::keep) {
    copy_link(from, to);
    copy_metadata(from, to, Links::keep);
  } else if (entry.folder) {
    copy_tree(from, to, links);
  } else {
    copy_file(from, to);
  }
}

// -- Moves

bool same_file(const std::string& one, const std::string& other) {
  struct stat first {};
  struct stat second {};
  return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// Where nothing is, nothing that appears meanwhile is overwritten. False: errno has the reason.
bool rename_path(const std::string& from, const std::string& to) {
  struct stat status {};
  if (::lstat(to.c_str(), &status) == 0 || errno != ENOENT) return ::rename(from.c_str(), to.c_str()) == 0;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  // Not every file system can do that.
  return (errno == EINVAL || errno == ENOSYS) && ::rename(from.c_str(), to.c_str()) == 0;
}

// As they are written.
bool is_below(const fs::path& path, const fs::path& folder) {
  return (path.lexically_normal() / "").native().starts_with((folder.lexically_normal() / "").native());
}

// So that the path can be a new name. False: that would not help.
bool make_missing_parent(const std::string& path) {
  const std::string parent = parent_of(without_slashes(path));
  if (parent.empty() || exists(parent) || name_of(path) == ".") return false;
  try {
    make_folders(parent);
    return true;
  } catch (const FileError& error) {
    if (error.error() == EEXIST) return false;
    throw;
  }
}

}  // namespace

CopyIncomplete::CopyIncomplete(std::vector<Failure> failures)
    : std::runtime_error(failures.size() == 1 ? failures.front().reason
                                              : failures.front().reason + " Not copied, with this one: " +
                                                    std::to_string(failures.size()) + " entries."),
      failures_(std::move(failures)) {}

void remove_tree(const std::string& path) { remove_folder(path, Remove::everything); }

void remove_emptied_tree(const std::string& path) { remove_folder(path, Remove::folders_and_links); }

void copy_tree(const std::string& from, const std::string& to, Links links) {
  const std::vector<FolderEntry> entries = list_folder(from);
  make_folders(to);
  std::vector<CopyIncomplete::Failure> failures;
  for (const FolderEntry& entry : entries) {
    const std::string source = join(from, entry.name);
    const std::string target = join(to, entry.name);
    attempt(failures, source, target, [&] { copy_entry(entry, source, target, links); });
  }
  attempt(failures, from, to, [&] { copy_metadata(from, to, Links::follow); });
  if (!failures.empty()) throw CopyIncomplete(std::move(failures));
}

bool is_within(const std::string& path, const std::string& folder) {
  return is_below(fs::weakly_canonical(fs::current_path() / path),
                  fs::weakly_canonical(fs::current_path() / folder));
}

void move_path(const std::string& from, const std::string& to) {
  native(from, "cannot move");
  native(to, "cannot move to");
  std::string target = to;
  if (is_directory(to) && !same_file(from, to)) {
    target = join(to, name_of(from));
    if (exists(target)) {
      const std::string message = "Destination path '" + target + "' already exists";
      throw TreeError("cannot move " + from + " to " + target + ", which exists.", "Error", message);
    }
  }
  if (rename_path(from, target)) return;
  const int reason = errno;

  if (same_file(from, to) || (reason == EEXIST && exists(target)))
    throw FileError(reason, "cannot move " + from + " to", target);
  if (is_link(from)) {
    copy_link(from, target);
    remove_file(from);
  } else if (is_directory(from)) {
    if (is_within(to, from) || is_below(fs::current_path() / to, fs::current_path() / from)) {
      throw TreeError("cannot move the folder " + from + " to " + to + ", which is inside it.", "Error",
                      "Cannot move a directory '" + from + "' into itself '" + to + "'.");
    }
    if (reason == ENOENT && make_missing_parent(target) && rename_path(from, target)) return;
    copy_tree(from, target, Links::keep);
    remove_tree(from);
  } else {
    if (target.ends_with('/')) {
      throw TreeError("cannot move " + from + " to " + target + ", which is not a folder.",
                      "FileNotFoundError", "Directory does not exist: " + target);
    }
    copy_file(from, target);
    remove_file(from);
  }
}

}  // namespace quire
