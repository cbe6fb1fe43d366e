"""Photos of a corpus, decoded and processed one at a time."""
