"""What is wrong with a corpus, and what can be reached with it."""
