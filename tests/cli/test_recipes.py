"""The command that lists recipes."""

from hf_fashion.cli.main import main


def test_every_model_has_its_recipes_each_in_a_line(capsys):
    assert main(["recipes"]) == 0
    printed = capsys.readouterr().out
    assert "hf-fashion train e2\n" in printed and "hf-fashion train backbone\n" in printed
    assert "    e2_quickstart       E2 from scratch on the generated corpus, minutes on one core\n" in printed


def test_one_model_may_be_named(capsys):
    assert main(["recipes", "feature_reasoning"]) == 0
    first, *recipes = capsys.readouterr().out.splitlines()
    assert first == "hf-fashion train feature_reasoning"
    assert [line.split()[0] for line in recipes] == ["feature_reasoning/paper", "feature_reasoning/quickstart"]
