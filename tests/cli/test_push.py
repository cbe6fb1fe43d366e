"""`hf-fashion push`: a folder of a model to the Hub, errors as one line."""

import json

import pytest

from hf_fashion.cli.main import main
from tests.hub_server import HubServer


def test_a_folder_is_pushed_and_its_place_printed(folder, monkeypatch, capsys):
    with HubServer() as hub:
        hub.use_here(monkeypatch)
        options = ["--private", "--revision", "draft", "--commit_message", "Autumn"]
        assert main(["push", str(folder / "e2"), "tester/a", *options]) == 0
        repository = hub.repositories["model", "tester/a"]
        oid = repository.refs["draft"]
        assert f"pushed {folder / 'e2'} to {hub.endpoint}/tester/a (commit {oid[:7]})" in capsys.readouterr().out
        assert json.loads(repository.commits[oid]["config.json"].content)["model_type"] == "e2"
        assert repository.private


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no/folder", "tester/a"], "hf-fashion: error: there is no folder 'no/folder' to push"),
        (
            ["e2", "a/b/c"],
            "hf-fashion: error: `repo_id` must be an id on the Hub, such as",
        ),
        (["e2", "tester/a"], "hf-fashion: error: the push to tester/a failed: HF_HUB_OFFLINE is set"),
    ],
)
def test_errors_are_one_line(folder, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(folder)
    assert main(["push", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(message) and said.count("\n") == 1
