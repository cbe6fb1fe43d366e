"""Losses as pure tensor functions; they know no model. README.md says what each file is for."""
