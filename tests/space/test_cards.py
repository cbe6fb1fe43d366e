"""HTML of results and products: whatever a catalogue or a user writes is text."""

import re

from fashion_space.cards import example_row, message, product_dialog, result_lists, summary
from fashion_space.queries import Form
from fashion_space.shop import Found

from tests.space.space_folder import COUNT, HOSTILE


HOSTILE_ID = f"p{COUNT - 1:02d}.png"


def test_texts_of_the_catalogue_are_escaped(shop):
    found = shop.search(Form(words="red", top_k=COUNT))
    for html in (result_lists(shop, found, '"><script>'), product_dialog(shop, HOSTILE_ID, "", {}, HOSTILE)):
        assert "&lt;img src=x onerror=" in html and "<script" not in html
        assert set(re.findall(r"<img [^>]*?src=\"(.{15})", html)) <= {"data:image/jpeg"}
    assert "<b>" not in message("<b>no</b>") + example_row(shop, [("<b>", {})])


def test_each_product_has_title_facts_and_score(shop):
    found = shop.search(Form(words="red", top_k=3))
    html = result_lists(shop, found, "")
    scores = [f"score {result['score']:.3f}" for result in found.results]
    assert re.findall(r"score -?\d\.\d{3}", html) == scores
    metadata = found.results[0]["metadata"]
    assert f"{metadata['brand']} · {metadata['season']} · price {metadata['price']}" in html
    assert html.count('<span class="title">') == 3


def test_moved_products_are_marked(shop):
    results = [
        {"id": "p00.png", "score": 0.5, "rank": 1, "initial_rank": 2, "metadata": {}},
        {"id": "gone", "score": 0.6, "rank": 2, "initial_rank": 1, "metadata": {}},
        {"id": "p02.png", "score": 0.6, "rank": 3, "initial_rank": 3, "metadata": {}},
    ]
    html = result_lists(shop, Found(shop.by_attribute, results, results), "")
    assert html.count("▲ was 2") == html.count("▼ was 1") == 2 and "was 3" not in html
    assert "no photo" in html and html.index("Before FR") < html.index("After FR")


def test_a_search_without_results_says_so(shop):
    found = shop.search(Form(words="red", filter="price > 1000"))
    assert "Nothing meets these filters" in summary(shop, found, 0.1)
