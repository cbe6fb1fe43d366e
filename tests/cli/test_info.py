"""`hf-fashion info`: the facts of `Gallery.info`, for people and programs."""

import json

from hf_fashion.cli.main import main
from hf_fashion.retrieval.gallery import Gallery
from tests.retrieval.galleries import filled


def test_facts_are_printed(tmp_path, capsys):
    gallery = filled(tmp_path / "gallery", 4)
    assert main(["info", "--gallery", str(tmp_path / "gallery")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "products: 4" in lines and "spaces: neckline (8), sleeve length (5)" in lines
    assert "metadata: brand (string), price (double), sub-category (string)" in lines and "index: none" in lines
    kept = gallery.info()["storage"]
    assert f"storage: bytes ({kept['bytes']:,}), versions (2), fragments (1)" in lines
    assert main(["info", "--gallery", str(tmp_path / "gallery"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == gallery.info()


def test_the_gallery_may_be_one_on_the_hub(tmp_path, capsys, monkeypatch):
    own = filled(tmp_path / "gallery", 4)
    monkeypatch.setattr(Gallery, "from_pretrained", {"me/my-gallery": own}.__getitem__)
    assert main(["info", "--gallery", "me/my-gallery", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == own.info()
