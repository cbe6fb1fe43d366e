"""Saves a gallery as a repository of `datasets`, in a folder or on the Hub. Import the submodule you need."""
