"""`hf-fashion add-attribute` and `hf-fashion add-spaces`: from a feed to a gallery with the new space."""

import pytest

from hf_fashion.cli.main import main
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.training.attribute import few_shot
from tests.tiny_attribute import ATTRIBUTE_NAMES
from tests.training.attribute.shoes import shoes


@pytest.fixture
def feed(tmp_path) -> str:
    rows = ["sku,photo,heel"]
    for number, row in enumerate(shoes(column="heel")):
        row["image"].save(tmp_path / f"{number}.png")
        rows.append(f"s{number},{number}.png,{row['heel']}")
    (tmp_path / "feed.csv").write_text("\n".join([*rows, ""]))
    return str(tmp_path / "feed.csv")


def test_a_model_and_its_gallery_gain_an_attribute(folder, feed, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(few_shot, "STEPS", 5)
    corpus, new = ["--corpus", feed, "--image_column", "photo"], str(tmp_path / "new")
    columns = ["--column", "heel", "--output", new, "--device", "cpu"]
    assert main(["add-attribute", str(folder / "asen"), "heel height", *corpus, *columns]) == 0
    assert "heel height: fitted on 10 photos of 2 values" in capsys.readouterr().out
    products, old = [*corpus, "--id_column", "sku", "--device", "cpu"], str(tmp_path / "gallery")
    assert main(["embed", "--model", str(folder / "asen"), "--gallery", old, *products]) == 0
    output = str(tmp_path / "larger")
    assert main(["add-spaces", "--model", new, "--gallery", old, "--output", output, *products]) == 0
    assert list(Gallery.open(output).schema.spaces) == [*ATTRIBUTE_NAMES, "heel height"]
    assert capsys.readouterr().out.endswith("in the spaces neckline, sleeve_length, pattern, heel height\n")


def test_what_is_missing_is_named(folder, tmp_path, capsys):
    arguments = ["add-attribute", str(folder / "asen"), "heel height", "--output", str(tmp_path / "new")]
    assert main(arguments) == 2
    assert "needs labelled photos" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*arguments, "--seed", "-1"])
    assert "argument --seed: must be from 0 to 2147483647, got -1" in capsys.readouterr().err
