Job = "the real one"
