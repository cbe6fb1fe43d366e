"""The console command `hf-fashion`: one file a sub-command, each a thin face of the library."""
