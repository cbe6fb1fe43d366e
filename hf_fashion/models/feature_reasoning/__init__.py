"""FR: re-ranks the first results of a search by moving their features."""
