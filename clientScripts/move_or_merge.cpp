// move_or_merge — moves a file or a folder, or merges a folder into one that exists.
//
//   arg 1   what to move; when it does not exist, nothing is done
//   arg 2   its new path, or the folder to merge into
//
// A file that is at the destination already is removed from the source when the content is the same, and ends
// the work when not, as every other error does: what was moved stays moved. Empty folders and links to
// folders are not merged. What would be deleted by being moved onto itself is refused.
//
// Errors are told as Python shows an exception, which controllers know; refusals of our own as a sentence.
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <quire/client_script.hpp>

#include "file_tree.hpp"
#include "python_text.hpp"

namespace {

namespace fs = std::filesystem;
using namespace quire;

// What Archivematica's own script would have destroyed.
class Refused : public std::runtime_error {
 public:
  Refused(const std::string& source, const std::string& destination, const std::string& reason)
      : std::runtime_error("moveormerge: " + source + " is not moved to " + destination + ", " + reason) {}
};

struct stat status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw FileError(errno, "cannot read", path);
  return status;
}

// The path with the links above it resolved, but not the last component.
fs::path resolved_entry(const std::string& path) {
  const std::string parent = parent_of(path);
  return fs::canonical(parent.empty() ? "." : parent) / name_of(path);
}

// Whether the destination would be gone with the source: it is the same entry, or a link to it.
bool is_itself(const std::string& source, const std::string& destination) {
  const struct stat one = status_of(source);
  const struct stat other = status_of(destination);
  if (one.st_dev != other.st_dev || one.st_ino != other.st_ino) return false;
  const fs::path entry = resolved_entry(source);
  if (entry == resolved_entry(destination)) return true;
  // Of a link only the link goes; a file with several names keeps the others.
  return !is_link(source) && (one.st_nlink == 1 || entry == fs::canonical(destination));
}

bool same_content(const std::string& one, const std::string& other) {
  const struct stat first = status_of(one);
  const struct stat second = status_of(other);
  if (!S_ISREG(first.st_mode) || !S_ISREG(second.st_mode) || first.st_size != second.st_size) return false;

  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  const auto open = [](const std::string& path) {
    File file(std::fopen(path.c_str(), "rbe"), &std::fclose);
    if (!file) throw FileError(errno, "cannot read", path);
    std::setvbuf(file.get(), nullptr, _IONBF, 0);  // the blocks are large enough
    return file;
  };
  const auto read = [](const File& file, const std::string& path, std::vector<char>& block) {
    const std::size_t size = std::fread(block.data(), 1, block.size(), file.get());
    if (std::ferror(file.get()) != 0) throw FileError(errno, "cannot read", path);
    return std::string_view(block.data(), size);
  };
  const File left = open(one);
  const File right = open(other);
  static std::vector<char> left_block(1 << 20);
  static std::vector<char> right_block(1 << 20);
  while (true) {
    const std::string_view bytes = read(left, one, left_block);
    if (bytes != read(right, other, right_block)) return false;
    if (bytes.empty()) return true;
  }
}

void move_file(const std::string& source, const std::string& destination) {
  const std::string parent = parent_of(destination);
  if (!exists(parent)) make_folders(parent);  // "" does not exist and cannot be made
  if (!is_file(destination)) return move_path(source, destination);
  if (is_itself(source, destination))
    throw Refused(source, destination,
                  "which is the same file and would be deleted; name another destination.");
  if (!same_content(source, destination)) {
    const std::string message =
        "Tried to move src=" + source + " to dst=" + destination + ", but dst exists and is different";
    throw TreeError(message, "RuntimeError", message);
  }
  remove_file(source);
}

// The files of a folder come before its sub-folders.
void merge_content(const std::string& source, const std::string& destination) {
  std::vector<FolderEntry> entries;
  try {
    entries = list_folder(source);
  } catch (const FileError&) {
    return;  // the removal of the source finds it, and fails
  }
  for (const FolderEntry& entry : entries) {
    if (!entry.folder) move_file(join(source, entry.name), join(destination, entry.name));
  }
  for (const FolderEntry& entry : entries) {
    if (entry.folder && !entry.link) merge_content(join(source, entry.name), join(destination, entry.name));
  }
}

void move_or_merge(const std::string& source, const std::string& destination) {
  if (is_file(source)) {
    move_file(source, destination);
  } else if (is_directory(source)) {
    if (!exists(destination)) return move_path(source, destination);
    if (is_within(destination, source)) {
      throw Refused(source, destination,
                    "which is the same folder or inside it and would be deleted; name another destination.");
    }
    merge_content(source, destination);
    remove_emptied_tree(source);
  }
}

// Error([('/a', '/b', "[Errno 13] Permission denied: '/a'")])
std::string display_failures(const std::vector<CopyIncomplete::Failure>& failures) {
  std::string list;
  for (const CopyIncomplete::Failure& failure : failures) {
    list += (list.empty() ? "(" : ", (") + display(std::string_view(failure.from)) + ", " +
            display(std::string_view(failure.to)) + ", " + display(std::string_view(failure.python_reason)) +
            ")";
  }
  return "Error([" + list + "])";
}

void run(Job& job) {
  const std::string& source = job.arg(1);
  const std::string& destination = job.arg(2);
  const auto fail = [&job](const std::string& text) {
    job.print_error(text);
    job.set_status(1, "error");
  };
  try {
    move_or_merge(source, destination);
  } catch (const FileError& error) {
    fail(display_system_error(error.error()));
  } catch (const TreeError& error) {
    fail(error.python_class() + "(" + display(std::string_view(error.python_message())) + ")");
  } catch (const CopyIncomplete& error) {
    fail(display_failures(error.failures()));
  }
}

}  // namespace

void call(Jobs jobs) { for_each_job(jobs, run); }

bool independent_jobs() { return true; }
