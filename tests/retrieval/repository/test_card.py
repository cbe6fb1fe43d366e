"""The card says what is in a gallery; what people write on it stays."""

import ast
import html
import re

import pyarrow as pa
import pytest
from huggingface_hub import DatasetCard

from hf_fashion.cards.card import renewed_card
from hf_fashion.retrieval.repository.card import gallery_card
from hf_fashion.retrieval.repository.columns import vector_columns
from hf_fashion.retrieval.repository.manifest import GalleryManifest
from hf_fashion.retrieval.schema import GallerySchema


def card(products: int = 5, name: str = "me/catalogue") -> str:
    schema = GallerySchema({"image": 8}, pa.schema([("sizes", pa.list_(pa.string()))]), "Model-1")
    return gallery_card(GalleryManifest(schema, {"image": "image_embeds"}, {"data": products}, {}), name)


def test_what_is_in_the_gallery_is_said():
    text = card()
    assert "| embedded by | `Model-1` |" in text
    assert "| spaces | `image` (8 dimensions, column `image_embeds`) |" in text
    assert "| metadata | `sizes` (list&#60;item: string&#62;) |" in text


@pytest.mark.parametrize(
    ("products", "size"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (9999, "1K<n<10K"), (10**6, "1M<n<10M"), (10**9, "1B<n<10B")],
)
def test_the_size_is_in_the_words_of_the_hub(products, size):
    assert DatasetCard(card(products)).data.size_categories == [size]


def test_a_card_of_somebody_else_is_added_to():
    old = "---\nlicense: mit\ntags:\n- shoes\n- fashion\nsize_categories: n<1K\n---\n# Shoes\n"
    new = DatasetCard(renewed_card(old, card(2000)))
    assert new.data.license == "mit" and new.data.size_categories == ["1K<n<10K"] and new.data.configs
    assert new.data.tags == ["shoes", "fashion", "hf_fashion", "embeddings", "image-retrieval"]
    assert new.text.lstrip().startswith("# Shoes\n\n<!-- hf_fashion") and "| products | 2,000 |" in new.text


ODD = [
    "a|b",
    "`code` *bold* _x_",
    "two\nlines\n\n## Heading\n```python\nimport os",
    "<script>alert(1)</script>",
    "[link](http://elsewhere)",
    "<!-- hf_fashion: end -->",
    "<!-- hf_fashion: limits 0123abcd -->",
    'say "x"\\',
    "größe 袖",
    "\u202e\x07",
]


SHOWN = {
    "two\nlines\n\n## Heading\n```python\nimport os": "two lines ## Heading ```python import os",
    "\u202e\x07": r"\u202e\x07",
}


@pytest.mark.parametrize("name", ODD)
def test_names_are_text_and_no_markup(name):
    text, plain = of_space(name), of_space("neckline")
    lines = text.split("\n")
    assert len(lines) == len(plain.split("\n"))
    assert [line for line in lines if line.startswith("| ") and line.count("|") != 3] == []
    assert text.count("<!--") == plain.count("<!--") and "<script" not in text
    assert sum(line.startswith("```") for line in lines) == 4
    shown = html.unescape(next(line for line in lines if line.startswith("| embedded by |")))
    assert SHOWN.get(name, name) in shown
    quoted = re.search(r'gallery\.search\(queries, (".*"), top_k', text)[1]
    assert ast.literal_eval(quoted) == ast.literal_eval(re.search(r'from_pretrained\((".*"), uri', text)[1]) == name
    assert renewed_card(text, plain) == plain


def of_space(name: str) -> str:
    """The card of a gallery whose space, model and own name are this one."""
    schema = GallerySchema({name: 8, "image": 4}, pa.schema([]), name)
    return gallery_card(GalleryManifest(schema, vector_columns(schema), {"data": 5}, {}), name)


def test_the_code_of_the_card_runs(saved, monkeypatch, capsys):
    monkeypatch.chdir(saved.parent)
    card = (saved / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```python\n(.*?)^```", card, re.MULTILINE | re.DOTALL):
        exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "('p001', 1.0)" in printed and "{'id': ['p000', 'p001'], 'image_embeds': tensor" in printed
    assert "| products | 23 |" in card and "`Model-1`" in card
