// A shared library that has nothing to do with quire.
extern "C" [[gnu::visibility("default")]] int answer() { return 42; }
