"""States of a run: as safetensors, and random numbers of a process."""
