#include <quire/client_script.hpp>

int call(quire::Jobs jobs) { return static_cast<int>(jobs.size()); }
