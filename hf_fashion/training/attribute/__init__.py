"""Training of attribute-specific models and of their backbones."""
