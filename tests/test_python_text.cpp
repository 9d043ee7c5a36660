#include <stdexcept>

#include <doctest/doctest.h>

#include "clientScripts/python_text.hpp"
#include "common/program.hpp"

using quire::display;

TEST_CASE("python_text") {
  SUBCASE("every character is shown as Python shows it") {
    const char* const program =
        "import sys\n"
        "sys.stdout.buffer.write('\\n'.join(repr('.' + chr(c)) for c in range(0x110000)).encode())";
    const quire::ProgramRun python =
        quire::run_program({"/usr/bin/python3", "-c", program}, quire::current_environment());
    REQUIRE(python.status.code() == 0);
    std::string shown;
    for (char32_t c = 0; c < 0x110000; ++c) {
      if (c > 0) shown += '\n';
      shown += display(std::u32string{U'.', c});
    }
    CHECK((shown == python.output));  // without the megabytes in the message
  }

  SUBCASE("the quotes are those that need no escapes") {
    CHECK(display(std::string_view("it is")) == "'it is'");
    CHECK(display(std::string_view("it's")) == "\"it's\"");
    CHECK(display(std::string_view("\"it's\"")) == "'\"it\\'s\"'");
    CHECK(display(std::string_view("a\\\n")) == "'a\\\\\\n'");
  }

  SUBCASE("stray bytes are lone surrogates, each byte one") {
    CHECK(display(std::string_view("\xff\xe6\x97z\xed\xa0\x80")) ==
          "'\\udcff\\udce6\\udc97z\\udced\\udca0\\udc80'");
    CHECK(quire::encode_utf8(quire::code_points("é日😀")) == "é日😀");
    CHECK_THROWS_AS(quire::encode_utf8(quire::code_points("\xff")), std::invalid_argument);
  }

  SUBCASE("numbers have the shortest form that reads back as the same") {
    CHECK(display(1.0) == "1.0");
    CHECK(display(-0.0) == "-0.0");
    CHECK(display(1e16) == "1e+16");
    CHECK(display(9007199254740993.0) == "9007199254740992.0");
    CHECK(display(0.0001) == "0.0001");
    CHECK(display(0.00001) == "1e-05");
    CHECK(display(5e-324) == "5e-324");
  }

  SUBCASE("an error of the system has the class that Python gives it") {
    CHECK(quire::display_system_error(13) == "PermissionError(13, 'Permission denied')");
    CHECK(quire::display_system_error(28) == "OSError(28, 'No space left on device')");
  }
}
