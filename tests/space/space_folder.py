"""Where the demo is, and the catalogue that its tests show."""

from tests.repo.tree import REPOSITORY


SPACE = REPOSITORY / "model_cards" / "space"
COUNT = 24  # products
HOSTILE = "<img src=x onerror=\"document.title='attacked'\"> {{#each}} ${1 + 1} `"  # title of the last one
