"""Convert published data sets to corpora of `datasets`."""
