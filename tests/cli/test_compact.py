"""`hf-fashion compact`: the same products in fewer files."""

from hf_fashion.cli.main import main
from hf_fashion.retrieval.gallery import Gallery
from tests.retrieval.galleries import METADATA, SPACES, ids, metadata, vectors


def test_small_files_are_joined(tmp_path, capsys):
    gallery = Gallery.create(tmp_path / "gallery", SPACES, METADATA)
    for number in range(8):
        gallery.add(ids(1, first=number), vectors(1), metadata(1))
    data = tmp_path / "gallery" / "gallery.lance" / "data"
    before = len(list(data.iterdir()))
    assert main(["compact", "--gallery", str(tmp_path / "gallery")]) == 0
    assert capsys.readouterr().out == f"compacted: 8 products in {tmp_path / 'gallery'}\n"
    assert len(list(data.iterdir())) < before
    assert sorted(Gallery.open(tmp_path / "gallery").ids()) == ids(8)
