"""The form becomes a query of the pipeline, or a sentence."""

import pytest
from fashion_space.queries import LONGEST, Form, read_terms


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", {}),
        (" ; \n", {}),
        ("a red dress", {"a red dress": 1}),
        ("a red dress; in blue = 0.5\nbuttons=-.25", {"a red dress": 1, "in blue": 0.5, "buttons": -0.25}),
        ("a = b = 2", {"a = b": 2}),
        ("size = large", {"size = large": 1}),
        ("hat; hat = 0.5", {"hat": 1.5}),
    ],
)
def test_descriptions_have_weights(text, terms):
    assert read_terms(text, 1.0) == terms


def test_form_becomes_query():
    assert Form(words="shirt", avoid="dots; stripes = 0.8").query() == {
        "terms": {"shirt": 1.0, "dots": -0.5, "stripes": -0.8}
    }
    assert Form(photo=b"x", photo_weight=0.0).query() == {"image": b"x"}
    assert Form(photo=b"x", words="blue").query() == {"image": b"x", "image_weight": 1.0, "terms": {"blue": 1.0}}
    assert Form(photo=b"x", change="in red").query() == {"image": b"x", "change": "in red"}
    assert Form(photo=b"x", attribute="neckline").query() == {"image": b"x", "attribute": "neckline"}


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (Form(), "Upload a photo or write some words"),
        (Form(words="a" * (LONGEST + 1)), "at most 1,000 characters"),
        (Form(words=";".join(map(str, range(21)))), "At most 20 descriptions"),
        (Form(photo=b"x", words="red", attribute="neckline"), "by photo only: remove the words"),
        (Form(change="in red"), "Upload the photo that is changed"),
        (Form(photo=b"x", change="in red", words="red"), "by itself: remove the words"),
        (Form(photo=b"x", change="a" * (LONGEST + 1)), "at most 1,000 characters"),
        (Form(attribute="sleeve_length"), "Upload a photo: its sleeve_length"),
    ],
)
def test_impossible_searches_are_sentences(form, words):
    with pytest.raises(ValueError, match=words):
        form.query()
