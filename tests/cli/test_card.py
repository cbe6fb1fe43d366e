"""`hf-fashion card`: evaluations of a saved model come to its card."""

import json

from huggingface_hub import ModelCard

from hf_fashion.cli.main import main
from tests.model_cards import e2_evaluation, save_model_with_facts


def test_a_card_with_evaluations(tmp_path, capsys):
    folder = save_model_with_facts("e2", tmp_path / "model")
    for name in ("e2", "clip"):
        (tmp_path / f"{name}.json").write_text(json.dumps(e2_evaluation()))
    files = ["--results", str(tmp_path / "e2.json"), "--baselines", f"CLIP-FT={tmp_path / 'clip.json'}"]
    assert main(["card", str(folder), *files, "--license", "mit", "--name", "me/e2"]) == 0
    assert capsys.readouterr().out == f"{folder}/README.md is written.\n"
    card = ModelCard.load(folder / "README.md")
    assert card.data.license == "mit" and "CLIP-FT" in card.text and '"me/e2"' in card.text


def test_input_errors_are_told(tmp_path, capsys):
    folder = save_model_with_facts("e2", tmp_path / "model")
    assert main(["card", str(folder), "--baselines", "clip.json"]) == 2
    assert "`--baselines` takes NAME=FILE, such as CLIP-FT=clip.json, got 'clip.json'" in capsys.readouterr().err
    twice = ["CLIP=a.json", "CLIP=b.json"]
    assert main(["card", str(folder), "--baselines", *twice]) == 2
    assert "needs a name of its own for each file, got CLIP=a.json, CLIP=b.json" in capsys.readouterr().err
    assert main(["card", str(tmp_path)]) == 2
    assert "is no folder of a model" in capsys.readouterr().err
