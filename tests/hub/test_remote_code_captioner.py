"""A saved captioner describes photos by `trust_remote_code` where hf_fashion cannot be imported."""

import json
from pathlib import Path

from hf_fashion.models.captioner.pipeline_captioner import captioning_pipeline
from tests.hub.processes import run_python
from tests.tiny_captioner import tiny_caption_processor, tiny_captioner
from tests.tiny_e2 import tiny_images


def test_captions_are_equal_and_saving_again_keeps_the_code(tmp_path):
    model, processor, saved = tiny_captioner(method="decap"), tiny_caption_processor(), tmp_path / "saved"
    model.save_pretrained(saved)
    processor.save_pretrained(saved)
    (photo,) = tiny_images(1)
    photo.save(tmp_path / "photo.png")
    script = Path(__file__).with_name("load_captioner_anywhere.py")
    run_python(["-I", str(script), str(saved), str(tmp_path)], tmp_path)
    caption = captioning_pipeline(model, processor)(photo, do_sample=False)[0]["generated_text"]
    assert json.loads((tmp_path / "captions.json").read_text()) == [[caption]] * 3
    assert {path.name for path in (tmp_path / "saved_again").glob("*.py")} == {p.name for p in saved.glob("*.py")}
