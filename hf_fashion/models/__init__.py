"""Models, one folder a family; `hf_fashion/_registration.py` enters them in transformers' Auto classes."""
