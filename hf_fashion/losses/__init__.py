"""Losses as pure tensor functions; they know no model."""
