"""`hf-fashion add-spaces`: errors; `test_add_attribute.py` runs it."""

from hf_fashion.cli.main import main


def test_a_model_without_new_attributes_is_named(folder, tmp_path, capsys):
    places = ["--model", str(folder / "asen"), "--gallery", str(folder / "asen_gallery"), "--device", "cpu"]
    corpus = ["--corpus", str(folder / "photos"), "--output", str(tmp_path / "new")]
    assert main(["add-spaces", *places, *corpus]) == 2
    assert "has no attribute that it lacks" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
