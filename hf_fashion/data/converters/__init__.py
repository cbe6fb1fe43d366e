"""Published data sets to `datasets` corpora."""
