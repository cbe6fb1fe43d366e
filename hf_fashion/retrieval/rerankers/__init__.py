"""Re-rankers without weights, as pure tensor functions."""
