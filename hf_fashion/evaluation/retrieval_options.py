"""What a user of cross-modal retrieval chooses from; apart from it, because command lines show this without torch."""

PAIRINGS = ("distinct_titles", "same_title", "own_row")
PROTOCOLS = ("full", "sample100")
