"""Model and data to metrics. Import the submodule you need."""
