"""Run in a process of its own by test_remote_code.py: loads E2's image side where hf_fashion cannot be imported.

Usage: python -I load_image_side_anywhere.py FOLDER, with the model in FOLDER/vision and its input and output in
FOLDER/expected.safetensors. The model is saved and loaded again.
"""

import sys
from pathlib import Path


def main(folder: Path) -> None:
    sys.modules["hf_fashion"] = None
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModel

    expected = load_file(folder / "expected.safetensors")
    AutoModel.from_pretrained(folder / "vision", trust_remote_code=True).save_pretrained(folder / "again")
    for name in ("vision", "again"):
        model = AutoModel.from_pretrained(folder / name, trust_remote_code=True).eval()
        assert type(model).__name__ == "E2TowerVisionModel"
        torch.testing.assert_close(model(expected["pixel_values"]).image_embeds, expected["image_embeds"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
