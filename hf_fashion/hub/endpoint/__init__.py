"""The handler of a Hub inference endpoint, and what writes it into a model's folder."""
