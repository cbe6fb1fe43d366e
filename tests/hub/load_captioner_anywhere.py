"""Run in a process of its own: describes photos where hf_fashion cannot be imported.

Usage: python -I load_captioner_anywhere.py SOURCE FOLDER. Reads `photo.png` from FOLDER and writes `captions.json`.
"""

import json
import runpy
import sys
from pathlib import Path


def main(source: str, folder: Path) -> None:
    # An isolated interpreter has no folder of scripts to import from.
    runpy.run_path(str(Path(__file__).with_name("load_anywhere.py")))["forbid_hf_fashion"]()
    from PIL import Image
    from transformers import AutoModel, AutoProcessor, pipeline

    photo = Image.open(folder / "photo.png")
    describe = pipeline("image-to-text", model=source, trust_remote_code=True)
    model = AutoModel.from_pretrained(source, trust_remote_code=True)
    processor = AutoProcessor.from_pretrained(source, trust_remote_code=True)
    tokens = model.generate(**processor(images=[photo], return_tensors="pt"), do_sample=False)
    by_parts = processor.batch_decode(tokens, skip_special_tokens=True)
    describe.save_pretrained(folder / "saved_again")
    again = pipeline("image-to-text", model=str(folder / "saved_again"), trust_remote_code=True)
    found = [
        by_parts,
        *([one["generated_text"] for one in pipe(photo, do_sample=False)] for pipe in (describe, again)),
    ]
    (folder / "captions.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
