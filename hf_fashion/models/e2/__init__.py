"""E2: CLIP with selection tokens, fusion blocks and a region embedding for each tag entity."""
