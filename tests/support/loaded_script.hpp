// A client script in C++, loaded into the test itself.
#pragma once

#include <dlfcn.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <quire/job.hpp>

namespace quire::test {

class LoadedScript {
 public:
  // Throws std::runtime_error with the linker's reason.
  explicit LoadedScript(const std::string& path)
      : library_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), ::dlclose) {
    if (!library_) throw std::runtime_error(::dlerror());
  }

  // A symbol of the module, or null.
  template <typename Symbol>
  Symbol* find(const char* name) const {
    return reinterpret_cast<Symbol*>(::dlsym(library_.get(), name));
  }

  bool defines(const char* name) const { return ::dlsym(library_.get(), name) != nullptr; }

  void call(std::span<Job> jobs) const { find<void(std::span<Job>)>("call")(jobs); }

  // One job with these arguments, after it has been run.
  Job run(const std::vector<std::string>& arguments) const {
    Job job("function", "task", arguments);
    call({&job, 1});
    return job;
  }

 private:
  std::unique_ptr<void, int (*)(void*)> library_;
};

}  // namespace quire::test
