"""The command line that training scripts share, and the changes that it makes to a recipe."""

import pytest
from safetensors import SafetensorError

from hf_fashion.training.command_line import read_command_line, run_script
from hf_fashion.training.e2.recipe import E2Recipe


@pytest.fixture
def parse(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("training: {seed: 3}")
    return lambda *arguments: read_command_line(E2Recipe, "Train.", [str(path), *arguments])


def test_a_recipe_without_options_is_not_changed(parse):
    recipe, checkpoint = parse()
    assert checkpoint is None
    assert recipe.training.seed == 3 and recipe.training.output_dir == E2Recipe().training.output_dir


def test_short_options_come_last_and_so_overrule(parse):
    arguments = ["--set", "training.seed=1", "data.on_leak=error", "--output_dir", "runs/a", "--on_leak", "warn"]
    recipe, _ = parse(*arguments)
    assert (recipe.training.seed, recipe.training.output_dir, recipe.data.on_leak) == (1, "runs/a", "warn")
    assert parse("--on_bad_image", "skip")[0].data.on_bad_image == "skip"


def test_changes_may_be_given_in_several_places(parse):
    recipe, _ = parse("--set", "training.seed=1", "--set", "training.batch_size=2")
    assert (recipe.training.seed, recipe.training.batch_size) == (1, 2)


def test_the_checkpoint_is_passed_on(parse):
    assert parse("--resume_from_checkpoint", "latest")[1] == "latest"


def test_the_words_of_the_process_are_the_default(tmp_path, monkeypatch):
    (tmp_path / "recipe.yaml").write_text("")
    monkeypatch.setattr("sys.argv", ["train_e2.py", str(tmp_path / "recipe.yaml"), "--set", "training.seed=7"])
    assert read_command_line(E2Recipe, "Train.")[0].training.seed == 7


def test_an_unknown_choice_is_refused(parse, capsys):
    with pytest.raises(SystemExit):
        parse("--on_leak", "ignore")
    assert "--on_leak" in capsys.readouterr().err


def test_an_unknown_key_is_named(parse):
    with pytest.raises(ValueError, match=r"unknown key 'seeds'.*seed"):
        parse("--set", "training.seeds=1")


@pytest.mark.parametrize("error", [ValueError("no column"), OSError("disk full"), SafetensorError("cut")])
def test_an_error_in_the_input_ends_a_script_with_a_line(error, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["training/train_e2.py"])

    def main():
        raise error

    with pytest.raises(SystemExit) as ended:
        run_script(main)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"train_e2.py: error: {error}\n"


def test_ctrl_c_ends_a_script_with_a_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["training/train_e2.py"])

    def main():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as ended:
        run_script(main, "Start it again.")
    assert ended.value.code == 130
    assert capsys.readouterr().err == "\ntrain_e2.py: stopped. Start it again.\n"


def test_other_errors_keep_their_traceback():
    def main():
        raise AssertionError("a mistake of ours")

    with pytest.raises(AssertionError):
        run_script(main)
