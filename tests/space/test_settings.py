"""Environment variables name models and photos; without any, those of the quickstart."""

import pytest
from fashion_space.settings import Settings


def test_each_field_is_an_environment_variable():
    environment = {
        "FASHION_E2": " me/e2 ",
        "FASHION_PHOTOS": "me/photos",
        "FASHION_TITLE": "name",
        "FASHION_SPLIT": "",
    }
    assert Settings.read(environment | {"PATH": "/bin"}) == Settings("me/e2", photos="me/photos", title="name")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FASHION_E3": "x"}, r"no setting FASHION_E3 \(did you mean 'FASHION_E2'\?\)"),
        ({"FASHION_E2": "me/e2"}, "FASHION_PHOTOS must name the catalogue"),
        (
            {"FASHION_E2": "me/e2", "FASHION_PHOTOS": "p", "FASHION_RERANKER": "fr"},
            "for the model of FASHION_ATTRIBUTES",
        ),
    ],
)
def test_wrong_settings_are_sentences(environment, words):
    with pytest.raises(ValueError, match=words):
        Settings.read(environment)


def test_without_models_the_quickstart_is_shown_or_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no runs/quickstart/e2/best: run `make quickstart` first"):
        Settings.read({})
    for name in ("e2/best", "ipad/best", "fr/best", "photos"):
        (tmp_path / "runs/quickstart" / name).mkdir(parents=True)
    settings = Settings.read({})
    assert (settings.e2, settings.photos) == ("runs/quickstart/e2/best", "runs/quickstart/photos")
    assert (settings.attributes, settings.reranker) == ("runs/quickstart/ipad/best", "runs/quickstart/fr/best")
