"""Console command `hf-fashion`: one file for each sub-command, which calls the library."""
