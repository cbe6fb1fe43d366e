"""Captioner: describes a photo in words, trained on texts only."""
