import numpy as np

from hf_fashion.data.generated.captions import TEMPLATES, write_caption
from hf_fashion.data.generated.look import Look


LOOK = Look("dress", "teal", "dotted", "Lumaro", "spring", "elbow", "v", "slanted", "hem")
SKIRT = Look("skirt", "red", "plain", "Elvoro", "winter", None, None, "curved", "hem")


def captions(look, count=200):
    return [write_caption(look, np.random.default_rng(row)) for row in range(count)]


def test_every_caption_names_type_colour_pattern_and_brand_and_some_the_rest():
    written = captions(LOOK)
    for caption in written:
        assert all(word in caption.lower() for word in ("dress", "teal", "dotted", "lumaro"))
    for words in ("elbow-length sleeves", "a V neck", "a slanted hem", "spring"):
        share = np.mean([words in caption for caption in written])
        assert 0.5 < share < 0.9, words
    assert len(set(written)) > 10 * len(TEMPLATES)


def test_what_a_garment_has_not_is_not_written():
    assert not any("sleeve" in caption or "neck" in caption or "None" in caption for caption in captions(SKIRT))


def test_the_form_is_that_of_a_sentence():
    assert all(caption[0].isupper() and "  " not in caption for caption in captions(SKIRT))
