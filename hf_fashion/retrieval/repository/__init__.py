"""A gallery as a `datasets` repository, in a folder or on the Hub."""
