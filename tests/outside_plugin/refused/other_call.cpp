// To the compiler this is another function that happens to have the same name; the linker misses the right
// one.
#include <vector>

#include <quire/client_script.hpp>

void call(std::vector<quire::Job>) {}
