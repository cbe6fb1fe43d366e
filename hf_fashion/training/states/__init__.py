"""States of a run: as safetensors, random numbers of a process, averaged weights."""
