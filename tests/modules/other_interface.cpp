// A module as an older or a newer quire would have built it.
extern "C" {
[[gnu::visibility("default")]] extern const int quire_interface_version = 4711;
[[gnu::visibility("default")]] void call() {}
}
