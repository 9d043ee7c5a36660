#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include <doctest/doctest.h>

#include "clientScripts/file_tree.hpp"
#include "tests/support/temporary_folder.hpp"

namespace fs = std::filesystem;
using quire::test::read_file;
using quire::test::TemporaryFolder;

namespace {

// A private folder on another file system than that of the temporary files.
class OtherFileSystem {
 public:
  OtherFileSystem() : path_(::mkdtemp(pattern_.data())) {}
  ~OtherFileSystem() { fs::remove_all(path_); }
  OtherFileSystem(const OtherFileSystem&) = delete;
  OtherFileSystem& operator=(const OtherFileSystem&) = delete;

  fs::path operator/(const fs::path& name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  std::string pattern_ = "/dev/shm/quire-XXXXXX";
  fs::path path_;
};

struct stat status_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

std::size_t entries_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("file_tree") {
  const TemporaryFolder here;
  const OtherFileSystem there;
  REQUIRE(status_of(here.path()).st_dev != status_of(there.path()).st_dev);

  SUBCASE("a file goes to another file system with its mode and times, and leaves nothing behind") {
    const std::string file = here.write("a", std::string(3 << 20, 'q'));
    REQUIRE(::chmod(file.c_str(), 0640) == 0);
    const std::array<timespec, 2> times{{{1000000000, 5}, {1100000000, 7}}};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), times.data(), 0) == 0);
    quire::move_path(file, there / "b");
    CHECK_FALSE(fs::exists(file));
    CHECK(read_file(there / "b") == std::string(3 << 20, 'q'));
    CHECK((status_of(there / "b").st_mode & 07777) == 0640);
    CHECK(status_of(there / "b").st_mtim.tv_sec == 1100000000);
    CHECK(status_of(there / "b").st_mtim.tv_nsec == 7);
    CHECK(entries_in(there.path()) == 1);
  }

  SUBCASE("a folder goes to another file system with links as links") {
    fs::create_directories(here / "m/s");
    here.write("m/s/f", "1");
    fs::create_symlink("no", here / "m/l");
    quire::move_path(here / "m", there / "x/y");
    CHECK_FALSE(fs::exists(here / "m"));
    CHECK(read_file(there / "x/y/s/f") == "1");
    CHECK(fs::read_symlink(there / "x/y/l") == "no");
  }

  SUBCASE("a folder of which something cannot be copied stays whole where it was") {
    fs::create_directories(here / "m");
    here.write("m/f", "1");
    REQUIRE(::mkfifo((here / "m/pipe").c_str(), 0600) == 0);
    CHECK_THROWS_AS(quire::move_path(here / "m", there / "m"), quire::CopyIncomplete);
    CHECK(read_file(here / "m/f") == "1");
    CHECK(fs::exists(here / "m/pipe"));
    CHECK(entries_in(there.path()) == 1);
    CHECK(entries_in(there / "m") == 1);
  }

  SUBCASE("a file that cannot be written leaves the source, and no part of it at the target") {
    const std::string file = here.write("a", "1");
    CHECK_THROWS_AS(quire::move_path(file, there / "missing/b"), quire::FileError);
    CHECK(read_file(file) == "1");
    CHECK(entries_in(there.path()) == 0);
  }

  SUBCASE("a tree is removed without leaving it") {
    fs::create_directories(here / "t/s");
    here.write("kept", "1");
    fs::create_symlink(here.path(), here / "t/s/up");
    quire::remove_tree(here / "t");
    CHECK_FALSE(fs::exists(here / "t"));
    CHECK(read_file(here / "kept") == "1");
  }

  SUBCASE("a tree that should be empty of files is not removed with one") {
    fs::create_directories(here / "t/s");
    here.write("t/s/f", "1");
    CHECK_THROWS_AS(quire::remove_emptied_tree(here / "t"), quire::TreeError);
    CHECK(read_file(here / "t/s/f") == "1");
    fs::remove(here / "t/s/f");
    quire::remove_emptied_tree(here / "t");
    CHECK_FALSE(fs::exists(here / "t"));
  }

  SUBCASE("a copy keeps the times of folders and of what links point to") {
    fs::create_directories(here / "t/d");
    here.write("t/d/f", "1");
    fs::create_symlink("d/f", here / "t/l");
    const std::array<timespec, 2> times{{{1000000000, 0}, {1100000000, 7}}};
    for (const char* name : {"t/d/f", "t/d"})
      REQUIRE(::utimensat(AT_FDCWD, (here / name).c_str(), times.data(), 0) == 0);
    quire::copy_tree(here / "t", here / "c", quire::Links::follow);
    CHECK(status_of(here / "c/d").st_mtim.tv_nsec == 7);
    CHECK(status_of(here / "c/l").st_mtim.tv_nsec == 7);
    CHECK(fs::is_regular_file(fs::symlink_status(here / "c/l")));
  }
}
