"""The entries of the papers are BibTeX."""

import re

import pytest

from hf_fashion.hub.cards.papers import ASEN, CAPDEC, CLIP, COMBINER, CSN, DECAP, E2, IPAD


@pytest.mark.parametrize("paper", [ASEN, CAPDEC, CLIP, COMBINER, CSN, DECAP, E2, IPAD])
def test_an_entry_has_title_authors_and_year(paper):
    entry = paper.bibtex()
    assert re.fullmatch(r"@\w+\{\w+,\n(  \w+ = \{[^{}]+\},\n)+\}", entry)
    assert re.search(r"year = \{20\d\d\}", entry) and " and " in paper.fields["author"]
