"""Run in a process of its own by test_card_code.py: pushes folders to the Hub and runs the code of their cards.

Usage: python run_card_code.py own|hf_fashion FOLDER NAME..., in a folder with `photo.jpg` and `photos`. With `own`,
hf_fashion cannot be imported, and only the blocks that do without it run. Writes `results.json`.
"""

import json
import re
import runpy
import sys
from pathlib import Path


def main(mode: str, folder: Path, names: list[str]) -> None:
    if mode == "own":
        runpy.run_path(str(Path(__file__).with_name("load_anywhere.py")))["forbid_hf_fashion"]()
    import shutil

    from huggingface_hub import HfApi, ModelCard

    results = {}
    for name in names:
        repo_id = f"tester/{name}"
        HfApi().create_repo(repo_id, exist_ok=True)
        HfApi().upload_folder(repo_id=repo_id, folder_path=folder / name)
        card = ModelCard.load(repo_id)
        card.validate()
        blocks = re.findall(r"^```python\n(.*?)^```", card.text, re.MULTILINE | re.DOTALL)
        wanted = [block for block in blocks if ("import hf_fashion" in block) == (mode == "hf_fashion")]
        for block in wanted:
            exec(compile(block, f"{name}: README.md", "exec"), {})
        shutil.rmtree("my_gallery", ignore_errors=True)
        results[name] = {
            "blocks": len(wanted),
            "results": len(card.data.eval_results or []),
            "pipeline_tag": card.data.pipeline_tag,
        }
    Path("results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
