// Folders with all that is in them: removed, copied and moved as Python's shutil does it, but so that a move
// which fails in the middle has lost nothing.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "file_system.hpp"

namespace quire {

// A refusal that is not the system's. what() is a sentence; beside it stands what Python would have raised.
class TreeError : public std::runtime_error {
 public:
  TreeError(const std::string& sentence, std::string python_class, std::string python_message)
      : std::runtime_error(sentence),
        python_class_(std::move(python_class)),
        python_message_(std::move(python_message)) {}

  const std::string& python_class() const { return python_class_; }
  const std::string& python_message() const { return python_message_; }

 private:
  std::string python_class_;
  std::string python_message_;
};

// Some entries of a tree could not be copied; all others were.
class CopyIncomplete : public std::runtime_error {
 public:
  struct Failure {
    std::string from;
    std::string to;
    std::string reason;         // a sentence
    std::string python_reason;  // "[Errno 13] Permission denied: '/a'"
  };

  // REQUIRES: !failures.empty()
  explicit CopyIncomplete(std::vector<Failure> failures);

  const std::vector<Failure>& failures() const { return failures_; }

 private:
  std::vector<Failure> failures_;
};

// Removes a folder and all below it, links as links. Stops at the first error: what was removed is gone.
// Throws FileError; TreeError when path itself is a link (with a slash at its end, what the link points to is
// emptied, and the removal of the link itself fails).
void remove_tree(const std::string& path);

// The same for a folder from which everything has been moved: only folders and links are removed. Throws
// TreeError, too, at anything else, which stays.
void remove_emptied_tree(const std::string& path);

enum class Links { keep, follow };

// Copies a folder with all below it to a new place: contents, modes, times and extended attributes. Missing
// folders above the new place are made. Entries that cannot be copied are left out, and told at the end with
// CopyIncomplete. Throws FileError when from cannot be listed, and when the new place exists; nothing is
// copied then.
void copy_tree(const std::string& from, const std::string& to, Links links);

// Whether the path is the folder or something below it, all links resolved. Neither needs to exist.
bool is_within(const std::string& path, const std::string& folder);

// Moves a file, a link (as a link) or a folder: into `to` where that is a folder, else as `to`. What is
// renamed within a file system is copied to another one: beside its target, and only removed when the copy is
// complete. Throws TreeError where the name exists in the folder `to`, and when a folder would be moved into
// itself; FileError, CopyIncomplete. The source is still there then, or what has been copied is at its
// target.
void move_path(const std::string& from, const std::string& to);

}  // namespace quire
