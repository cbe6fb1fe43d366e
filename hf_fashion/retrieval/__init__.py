"""A catalogue's vectors, stored and searched. Import the submodule you need."""
