#include "tests/support/temporary_folder.hpp"

#include <stdlib.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include <doctest/doctest.h>

namespace quire::test {
namespace {

std::atomic<bool> test_has_failed = false;  // a test may have threads

// doctest tells listeners what failed, and nobody else.
struct FailureListener : doctest::IReporter {
  explicit FailureListener(const doctest::ContextOptions&) {}
  void test_case_start(const doctest::TestCaseData&) override { test_has_failed = false; }
  void log_assert(const doctest::AssertData& assertion) override {
    if (assertion.m_failed) test_has_failed = true;
  }
  void test_case_reenter(const doctest::TestCaseData&) override { test_has_failed = false; }
  void test_case_exception(const doctest::TestCaseException&) override { test_has_failed = true; }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("failures", 1, FailureListener);

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "quire-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  if (test_has_failed || std::uncaught_exceptions() > 0) {
    std::cerr << "The folder of the failed test is kept: " << path_.string() << "\n";
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::filesystem::path& name, std::string_view content) const {
  const std::filesystem::path path = path_ / name;
  std::ofstream file(path, std::ios::binary);
  file.exceptions(std::ios::failbit | std::ios::badbit);
  file << content << std::flush;
  return path.string();
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::system_error(errno, std::generic_category(), path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace quire::test
