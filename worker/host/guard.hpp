// For modules that must not be forked: their subsets run in the host itself, so that nobody is left above
// them who could end what they leave behind. A guard stands there.
#pragma once

namespace quire {

// Runs the program, a host, as a child that dies with us, and ends with its exit code or signal, once all
// that it left behind has been ended. Where the worker dies before, ends the host and all that descends from
// it. TERM goes on to the host's process group. The descriptors are the host's. arguments: the program's, its
// own path first, with a null at the end.
[[noreturn]] void stand_guard(char* const* arguments);

}  // namespace quire
