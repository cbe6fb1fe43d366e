"""Attribute-specific models (ASEN, ASEN++, IPAD and their baselines): one embedding for each attribute of an image."""
