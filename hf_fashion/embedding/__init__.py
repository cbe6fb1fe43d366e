"""Embeds photos, texts and attributes. Import the submodule you need."""
