"""`hf-fashion repair`: one row of each product."""

from hf_fashion.cli.main import main
from tests.retrieval.galleries import filled, ids, metadata, vectors


def test_products_that_come_twice_are_made_single(tmp_path, capsys):
    gallery = filled(tmp_path / "gallery", 4)
    gallery._store._table.add(gallery.schema.rows(ids(2), vectors(2), metadata(2), gallery._spaces))
    assert main(["info", "--gallery", str(tmp_path / "gallery")]) == 2
    assert "has 2 ids more than once" in capsys.readouterr().err
    assert main(["repair", "--gallery", str(tmp_path / "gallery")]) == 0
    assert capsys.readouterr().out == f"2 rows removed, 4 products in {tmp_path / 'gallery'}\n"
    assert main(["info", "--gallery", str(tmp_path / "gallery")]) == 0
