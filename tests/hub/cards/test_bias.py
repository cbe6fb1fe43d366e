"""Notes on bias are those that the columns call for."""

from hf_fashion.hub.cards.bias import bias_notes
from hf_fashion.hub.cards.facts import CorpusFacts


def test_notes_of_the_columns():
    columns = {"tags": {"maker": "brand_name"}, "attributes": {"gender": "sex"}}
    notes = bias_notes(CorpusFacts("shop", columns=columns))
    assert len(notes) == 2 and "gender" in notes[0] and "logos" in notes[1]


def test_a_note_comes_once():
    assert len(bias_notes(CorpusFacts("shop", columns={"tags": {"region": "country", "country": "country"}}))) == 1


def test_no_columns_no_notes():
    assert bias_notes(None) == bias_notes(CorpusFacts("shop", columns={"attributes": {"neckline": "neck"}})) == []
