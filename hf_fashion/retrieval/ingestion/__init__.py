"""Embeds a catalogue of photos into a gallery. Import the submodule you need."""
