"""Tiny models, a folder of photos, and galleries of them, made once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hf_fashion.cli.main import main
from tests import tiny_attribute, tiny_e2
from tests.cli.commands import COUNT, save_photos
from tests.tiny_feature_reasoning import tiny_feature_reasoning


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """`e2` and `asen`, `fr`, the `photos`, and galleries of them."""
    folder = tmp_path_factory.mktemp("cli")
    tiny_e2.tiny_model().save_pretrained(folder / "e2")
    tiny_e2.tiny_processor().save_pretrained(folder / "e2")
    tiny_attribute.tiny_asen().save_pretrained(folder / "asen")
    tiny_attribute.tiny_image_processor().save_pretrained(folder / "asen")
    tiny_feature_reasoning().save_pretrained(folder / "fr")
    save_photos(folder / "photos", COUNT)
    for model in ("e2", "asen"):
        names = ["--corpus", str(folder / "photos"), "--gallery", str(folder / f"{model}_gallery")]
        assert main(["embed", "--model", str(folder / model), *names, "--device", "cpu"]) == 0
    return folder


@pytest.fixture
def searched(folder) -> Callable[..., list[str]]:
    """Arguments of a search in one of the galleries."""

    def arguments(*more: str, model: str = "e2") -> list[str]:
        places = ["--model", str(folder / model), "--gallery", str(folder / f"{model}_gallery"), "--device", "cpu"]
        return ["search", *places, *more]

    return arguments
