"""The first layers of a vision tower: frozen, run once for each photo, then skipped."""
