"""Run in a process of its own by test_fashion_embedding.py: loads models where hf_fashion cannot be imported.

Usage: python -I load_sentence_transformer_anywhere.py FOLDER. Reads `sources.json`, name -> what SentenceTransformer
takes, and `image.png` from FOLDER, and writes the embeddings to `outputs.safetensors`.
"""

import json
import sys
from pathlib import Path


def main(folder: Path) -> None:
    sys.modules["hf_fashion"] = None  # it cannot be imported from here on
    import torch
    from PIL import Image
    from safetensors.torch import save_file
    from sentence_transformers import SentenceTransformer

    sources = json.loads((folder / "sources.json").read_text())
    photo = Image.open(folder / "image.png")
    embeds = {}
    for name, source in sources.items():
        model = SentenceTransformer(source, trust_remote_code=True, device="cpu")
        if "text" in model.modalities:
            embeds[name] = model.encode([photo, "a red dress", str(folder / "image.png")])
        else:
            for attribute in sorted(set(model.prompts) - {"query", "document"}):
                embeds[f"{name} {attribute}"] = model.encode([photo], prompt_name=attribute)
        model.save_pretrained(str(folder / f"{name}_again"))
    save_file({name: torch.as_tensor(rows) for name, rows in embeds.items()}, folder / "outputs.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
