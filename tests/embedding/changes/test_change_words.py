"""Words that change a photo, read against known values."""

import pytest

from hf_fashion.embedding.changes.change_words import Change, ChangeReader


VALUES = {
    "colour": ["Red", "Navy Blue", "Blue"],
    "pattern": ["Striped", "Dots"],
    "neck": ["V-neck", "Round"],
    "article_type": ["Shirts", "Dress"],
}


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("in red", Change({"colour": "Red"})),
        ("the same in navy blue", Change({"colour": "Navy Blue"})),
        ("not red", Change({}, (("colour", "Red"),))),
        ("without stripes", Change({}, (("pattern", "Striped"),))),
        ("with a v neck instead of a round neck", Change({"neck": "V-neck"}, (("neck", "Round"),))),
        ("not red but blue", Change({"colour": "Blue"}, (("colour", "Red"),))),
        ("not in red", Change({}, (("colour", "Red"),))),
        ("it isn't red", Change({}, (("colour", "Red"),))),
        ("I don’t want stripes, but dots", Change({"pattern": "Dots"}, (("pattern", "Striped"),))),
        ("no dots and stripes, in blue", Change({"colour": "Blue"}, (("pattern", "Dots"), ("pattern", "Striped")))),
        ("as a shirt with the colour red", Change({"article_type": "Shirts", "colour": "Red"})),
        ("in red and blue", Change({"colour": "Red Blue"})),
        ("with longer sleeves", Change({}, more=("longer sleeves",))),
        ("without a big logo", Change({}, less=("big logo",))),
        ("Is red and has no sleeves", Change({"colour": "Red"}, less=("sleeves",))),
        ("as dresses with pockets", Change({"article_type": "Dress"}, more=("pockets",))),
        ("never red", Change({}, (("colour", "Red"),))),
        ("can't be red", Change({}, (("colour", "Red"),))),
        ("anything but red", Change({}, (("colour", "Red"),))),
        ("neither red nor blue", Change({}, (("colour", "Red"), ("colour", "Blue")))),
        ("not red or blue", Change({}, (("colour", "Red"), ("colour", "Blue")))),
        ("remove the stripes", Change({}, (("pattern", "Striped"),))),
        ("non-striped", Change({}, (("pattern", "Striped"),))),
        ("from red to blue", Change({"colour": "Blue"}, (("colour", "Red"),))),
        ("change the colour to blue", Change({"colour": "Blue"})),
        ("change the neckline to a v", Change({}, more=("change the neckline to a v",))),
        ("longer from the back to the front", Change({}, more=("longer from the back to the front",))),
        ("less red more blue", Change({"colour": "Blue"}, (("colour", "Red"),))),
        ("change red to blue", Change({"colour": "Blue"}, (("colour", "Red"),))),
        ("replace the stripes with dots", Change({"pattern": "Dots"}, (("pattern", "Striped"),))),
        ("from this brand", Change({}, more=("from this brand",))),
        ("stripe-free, in red", Change({"colour": "Red"}, (("pattern", "Striped"),))),
        ("a stripe-free red dress", Change({"colour": "Red", "article_type": "Dress"}, (("pattern", "Striped"),))),
        ("big-logo-free", Change({}, less=("big logo",))),
        ("with free size", Change({}, more=("free size",))),
        ("rather blue than red", Change({"colour": "Blue"}, (("colour", "Red"),))),
        ("in blue rather than red", Change({"colour": "Blue"}, (("colour", "Red"),))),
        ("I would rather have it lighter, longer than this", Change({}, more=("lighter", "longer than this"))),
        ("make it red", Change({"colour": "Red"})),
        ("make it longer", Change({}, more=("longer",))),
        ("show me it in red", Change({"colour": "Red"})),
        ("I would like it in red, please", Change({"colour": "Red"})),
        ("I don't like it in red", Change({}, (("colour", "Red"),))),
        ("like this one, but I need it striped", Change({"pattern": "Striped"})),
        ("give me more like this in red", Change({"colour": "Red"}, more=("more like this",))),
        ("like silk", Change({}, more=("silk",))),
        ("switch it to red", Change({"colour": "Red"})),
        ("turn the stripes into dots", Change({"pattern": "Dots"}, (("pattern", "Striped"),))),
        ("with a turn-down collar", Change({}, more=("turn down collar",))),
        ("not only red but also blue", Change({"colour": "Red Blue"})),
        ("it isn't just red", Change({"colour": "Red"})),
    ],
)
def test_words_are_read(words, change):
    assert ChangeReader(VALUES).read(words) == change


def test_what_a_value_is_free_of_is_the_value():
    reader = ChangeReader({"finish": ["Wrinkle-free", "Glossy"]})
    assert reader.read("wrinkle-free, gloss-free") == Change({"finish": "Wrinkle-free"}, less=("gloss",))


def test_without_known_values_words_are_kept():
    assert ChangeReader({}).read("in red, not blue") == Change({}, more=("red",), less=("blue",))


@pytest.mark.parametrize("words", ["the same", "but with the", "?"])
def test_words_that_name_nothing_are_refused(words):
    with pytest.raises(ValueError, match='`change` must name what is different, such as "in red"'):
        ChangeReader(VALUES).read(words)


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("as a cap", Change({"type": "Cap"})),
        ("as a cape", Change({"type": "Cape"})),
        ("a cape instead of caps", Change({"type": "Cape"}, (("type", "Cap"),))),
        ("capes, no coats", Change({"type": "Cape"}, (("type", "Coats"),))),
        ("coated", Change({"type": "Coated"})),
        ("as a coat", Change({"type": "Coats"})),
    ],
)
@pytest.mark.parametrize("values", [["Cap", "Cape", "Coated", "Coats"], ["Coats", "Coated", "Cape", "Cap"]])
def test_values_of_one_stem_are_told_apart(words, change, values):
    assert ChangeReader({"type": values}).read(words) == change


@pytest.mark.parametrize("entities", [["type", "sleeve"], ["sleeve", "type"]])
def test_a_value_is_that_of_the_entity_with_the_same_spelling(entities):
    values = {"type": ["Shorts", "Top", "Tops"], "sleeve": ["short", "long"]}
    reader = ChangeReader({entity: values[entity] for entity in entities})
    assert reader.read("with short sleeves") == Change({"sleeve": "short"})
    assert reader.read("but shorts") == Change({"type": "Shorts"})
    assert reader.read("but tops") == Change({"type": "Top"})  # two spellings of one value


def test_the_name_of_an_entity_behind_its_value_says_nothing_more():
    reader = ChangeReader({"sleeve_length": ["short", "long"]})
    assert reader.read("with short sleeves, no pockets") == Change({"sleeve_length": "short"}, less=("pockets",))
    assert reader.read("no sleeves") == Change({}, less=("sleeves",))
