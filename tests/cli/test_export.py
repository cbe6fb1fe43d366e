"""`hf-fashion export`: one line a file, into the folder or elsewhere."""

import json

from hf_fashion.cli.main import main
from tests.tiny_attribute import tiny_asen


def test_the_file_and_its_difference_are_printed(tmp_path, capsys):
    tiny_asen(head="triplet").save_pretrained(tmp_path / "model")
    capsys.readouterr()
    assert main(["export", str(tmp_path / "model"), "--output", str(tmp_path / "files")]) == 0
    printed = capsys.readouterr()
    path, _, rest = printed.out.strip().partition(": ")
    assert path == str(tmp_path / "files" / "model.onnx") and rest.startswith("0.0 MB, largest difference from the")
    assert float(rest.split()[-1]) < 1e-5
    assert printed.err == ""
    assert "transformers.js_config" not in json.loads((tmp_path / "model" / "config.json").read_text())


def test_a_folder_without_a_model_is_an_input_error(tmp_path, capsys):
    assert main(["export", str(tmp_path)]) == 2
    assert "is not a model: it has no config.json" in capsys.readouterr().err
