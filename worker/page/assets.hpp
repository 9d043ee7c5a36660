// The files of the page, as they are in this folder: they are part of the program.
#pragma once

#include <string_view>

namespace quire::page {

extern const std::string_view style_css;
extern const std::string_view script_js;
extern const std::string_view icon_svg;

}  // namespace quire::page
