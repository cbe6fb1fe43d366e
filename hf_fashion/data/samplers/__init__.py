"""Which photos form a training batch of an attribute-specific model."""
