#include <quire/client_script.hpp>

void call(quire::Jobs) {}

long concurrent_instances() { return 2; }
