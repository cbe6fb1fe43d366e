"""`hf-fashion endpoint`: the handler in a model's folder."""

import shutil

from hf_fashion.cli.main import main


def test_a_handler_is_written(folder, tmp_path, capsys):
    model = str(shutil.copytree(folder / "e2", tmp_path / "e2"))
    assert main(["endpoint", model, "--gallery", str(folder / "e2_gallery"), "--reranker", "k_reciprocal"]) == 0
    assert capsys.readouterr().out == f"wrote handler.py and what it needs into {model}\n"
    assert (tmp_path / "e2" / "handler.py").is_file() and (tmp_path / "e2" / "gallery" / "gallery.json").is_file()
    assert main(["endpoint", str(folder / "photos")]) == 2
    assert "is no folder of a saved model" in capsys.readouterr().err
