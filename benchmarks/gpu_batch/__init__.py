"""What a batch of runs on one GPU is made of. Nothing here imports `datasets`, except `packing.py`."""
