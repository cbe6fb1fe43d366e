"""`hf-fashion caption`: a caption of each photo."""

import json

import pytest

from hf_fashion.cli.main import main
from tests.tiny_captioner import tiny_caption_processor, tiny_captioner


@pytest.fixture(scope="module")
def captioner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captioner")
    tiny_captioner().save_pretrained(folder)
    tiny_caption_processor().save_pretrained(folder)
    return str(folder)


def test_a_line_a_photo(folder, captioner, capsys):
    photos = [str(folder / "photos" / name) for name in ("00.png", "01.png")]
    assert main(["caption", "--model", captioner, *photos, "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("\t")[0] for line in lines] == photos
    assert main(["caption", "--model", captioner, photos[0], "--device", "cpu", "--num_beams", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["image"] == photos[0] and isinstance(found["caption"], str)


def test_what_is_no_captioner_or_no_photo_is_one_line(folder, captioner, capsys):
    photo = str(folder / "photos" / "00.png")
    assert main(["caption", "--model", str(folder / "e2"), photo, "--device", "cpu"]) == 2
    assert "E2Model writes no captions" in capsys.readouterr().err
    assert main(["caption", "--model", captioner, "no.png", "--device", "cpu"]) == 2
    assert "no.png" in capsys.readouterr().err
