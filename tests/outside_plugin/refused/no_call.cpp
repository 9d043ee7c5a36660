#include <quire/client_script.hpp>

int concurrent_instances() { return 2; }
