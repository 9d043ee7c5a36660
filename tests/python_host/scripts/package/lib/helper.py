WORD = "from the library"
