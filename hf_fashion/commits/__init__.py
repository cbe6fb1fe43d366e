"""Commit files to the Hub: whole, tried again, never twice. Import the submodule you need."""
