"""Code of a stranger's processor runs only where it was allowed beforehand: nobody is asked."""

import io
import json

import pytest
from transformers import CLIPProcessor, dynamic_module_utils

from hf_fashion.embedding.remote_code import load_processor
from hf_fashion.embedding.saved_models import load_model
from tests.tiny_e2 import tiny_image_processor, tiny_tokenizer
from tests.tiny_towers import tiny_clip


@pytest.fixture
def with_code(tmp_path, monkeypatch):
    """A CLIP whose image processor is code of the folder; whoever is asked says yes."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 99))
    tiny_clip().save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    tiny_image_processor().save_pretrained(tmp_path)
    path = tmp_path / "preprocessor_config.json"
    settings = json.loads(path.read_text()) | {"image_processor_type": "Processor"}
    settings.pop("processor_class", None)
    path.write_text(json.dumps(settings | {"auto_map": {"AutoImageProcessor": "strange.Processor"}}))
    (tmp_path / "strange.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom transformers import CLIPImageProcessor\n"
        "class Processor(CLIPImageProcessor):\n    pass\n"
    )
    return tmp_path


def test_it_does_not_run_and_nobody_is_asked(with_code, capsys):
    for load in (load_processor, load_model, lambda path: load_processor(path, trust_remote_code=None)):
        with pytest.raises(ValueError, match="trust_remote_code"):
            load(with_code)
    assert not (with_code / "ran").exists() and "y/N" not in capsys.readouterr().out
    assert dynamic_module_utils.TIME_OUT_REMOTE_CODE > 0, "others are asked as before"


def test_a_processor_without_code_is_loaded(tmp_path):
    tiny_clip().save_pretrained(tmp_path)
    CLIPProcessor(tiny_image_processor(), tiny_tokenizer()).save_pretrained(tmp_path)
    assert isinstance(load_processor(tmp_path), CLIPProcessor)
