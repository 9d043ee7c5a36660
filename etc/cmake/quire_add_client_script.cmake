# quire_add_client_script(NAME SOURCE... [LIBRARIES TARGET...])
#
#   quire_add_client_script(greet greet.cpp)
#   quire_add_client_script(checksum checksum.cpp LIBRARIES OpenSSL::Crypto)
#
# Builds the client script NAME.so, a module that the worker loads, into CMAKE_LIBRARY_OUTPUT_DIRECTORY (by
# default the build folder of the CMakeLists.txt that calls this). The CMake target is script_NAME, since the
# bare names of scripts (test, copy, …) are reserved or taken.
#
# What could fail when the worker loads the module fails here instead: a symbol that no library has, and a
# script that does not define call(). Of a script's own names only those that <quire/client_script.hpp> declares
# are visible from outside.
function(quire_add_client_script name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES")
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "quire_add_client_script(${name}): name the source files too, as in "
                        "quire_add_client_script(${name} ${name}.cpp).")
  endif()
  set(target script_${name})
  add_library(${target} MODULE ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE quire::script ${arg_LIBRARIES})
  target_link_options(${target} PRIVATE -Wl,--no-undefined -Wl,--require-defined=call)
  set_target_properties(${target} PROPERTIES
    PREFIX "" SUFFIX .so OUTPUT_NAME ${name}
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
endfunction()
