import numpy as np

from hf_fashion.data.generated.look import SPLITS, VALIDATION_SHARE, draw_look
from hf_fashion.data.generated.vocabulary import ARTICLE_TYPES


def looks(split, count=200):
    return [draw_look(np.random.default_rng([1, row]), split) for row in range(count)]


def test_a_look_belongs_to_the_split_it_was_drawn_for_and_fits_its_type():
    for split in SPLITS:
        for look in looks(split):
            article = ARTICLE_TYPES[look.article_type]
            assert look.split() == split
            assert look.hem in article.hems and look.place in article.places
            assert look.sleeve in (article.sleeves or (None,)) and look.neckline in (article.necklines or (None,))


def test_splits_share_no_combination():
    train, validation = (
        {(look.article_type, look.colour, look.pattern, look.brand) for look in looks(split)} for split in SPLITS
    )
    assert not train & validation
    assert 0 < VALIDATION_SHARE < 0.5
