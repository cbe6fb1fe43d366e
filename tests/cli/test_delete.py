"""`hf-fashion delete`: all of the products, or none."""

from hf_fashion.cli.main import main
from hf_fashion.retrieval.gallery import Gallery
from tests.retrieval.galleries import filled


def test_products_are_deleted_and_counted(tmp_path, capsys):
    filled(tmp_path / "gallery", 4)
    assert main(["delete", "--gallery", str(tmp_path / "gallery"), "--ids", "p000", "p002"]) == 0
    assert capsys.readouterr().out == f"2 deleted, 2 products in {tmp_path / 'gallery'}\n"
    assert sorted(Gallery.open(tmp_path / "gallery").ids()) == ["p001", "p003"]


def test_an_unknown_id_is_an_error_and_nothing_is_deleted(tmp_path, capsys):
    filled(tmp_path / "gallery", 4)
    assert main(["delete", "--gallery", str(tmp_path / "gallery"), "--ids", "p000", "p9"]) == 2
    assert "--ids: 'p9' is not in the gallery" in capsys.readouterr().err
    assert len(Gallery.open(tmp_path / "gallery")) == 4
