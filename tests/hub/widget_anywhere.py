"""Run in a process of its own: what the Hub's widgets do with a model, where hf_fashion cannot be imported.

Usage: python -I widget_anywhere.py FOLDER. Reads `image.png` from FOLDER and writes what it got to `results.json`.
"""

import json
import runpy
import sys
from pathlib import Path


def main(folder: Path) -> None:
    # An isolated interpreter has no folder of scripts to import from.
    runpy.run_path(str(Path(__file__).with_name("load_anywhere.py")))["forbid_hf_fashion"]()
    from PIL import Image
    from transformers import pipeline

    image, trust = Image.open(folder / "image.png"), {"trust_remote_code": True}
    results = {}
    for name in ("e2", "asen", "ipad"):
        found = pipeline(model=f"tester/{name}", **trust)  # the task is that of the card
        labels = {"candidate_labels": ["dress", "coat"]} if name == "e2" else {}
        extract = pipeline("image-feature-extraction", model=f"tester/{name}", **trust)
        results[name] = {"task": found.task, "answer": found(image, **labels), "features": extract(image)}
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
