"""Bring models to the Hub: pushes, model cards, endpoints, exports. Import the submodule you need."""
