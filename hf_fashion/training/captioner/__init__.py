"""Training of captioners, on texts only."""
