raise RuntimeError("x" * 1000000)
