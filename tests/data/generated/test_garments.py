import pytest

from hf_fashion.data.generated.garments import cut_garment
from hf_fashion.data.generated.geometry import bounds
from hf_fashion.data.generated.vocabulary import ARTICLE_TYPES


@pytest.mark.parametrize("name", ARTICLE_TYPES)
def test_every_type_is_cut_in_every_form_and_marks_sit_within_it(name):
    article = ARTICLE_TYPES[name]
    for hem in article.hems:
        for sleeve in article.sleeves or (None,):
            for neckline in article.necklines or (None,):
                cut = cut_garment(name, sleeve, neckline, hem, 0.6)
                expected = {"hem"} | ({"sleeve"} if sleeve else set()) | ({"neckline"} if neckline else set())
                assert set(cut.regions) == expected
                x0, y0, x1, y1 = bounds([cut.body])
                assert all(x0 < x < x1 and y0 < y < y1 for x, y in article.places.values())


def test_longer_sleeves_reach_lower():
    lowest = [
        bounds(cut_garment("dress", sleeve, "round", "straight", 0.6).sleeves)[3]
        for sleeve in ("short", "elbow", "long")
    ]
    assert lowest == sorted(lowest) and lowest[0] + 0.1 < lowest[2]


def test_hems_shape_the_lower_edge():
    ends = {hem: bounds([cut_garment("skirt", None, None, hem, 0.6).body])[3] for hem in ("straight", "curved")}
    assert ends["curved"] > ends["straight"] + 0.04
    assert cut_garment("skirt", None, None, "banded", 0.6).bands
    assert len(cut_garment("trousers", None, None, "banded", 0.6).bands) == 2
