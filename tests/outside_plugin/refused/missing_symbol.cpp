#include <quire/client_script.hpp>

void convert(quire::Job& job);

void call(quire::Jobs jobs) { quire::for_each_job(jobs, convert); }
