"""Run in a process of its own by test_adapters.py: loads an adapter from a Hub where hf_fashion cannot be imported.

Usage: python -I adapt_anywhere.py BASE TRAINED ADAPTER FOLDER, all but the last ids of repositories. Writes the image
embeddings by every door to `outputs.safetensors`.
"""

import sys
from pathlib import Path


def main(base: str, trained: str, adapter: str, folder: Path) -> None:
    sys.modules["hf_fashion"] = None
    import torch
    from peft import AutoPeftModel, PeftModel
    from safetensors.torch import load_file, save_file
    from transformers import AutoModel

    trust = {"trust_remote_code": True}
    models = {
        "merged": AutoModel.from_pretrained(trained, **trust),
        "in a subfolder": PeftModel.from_pretrained(
            AutoModel.from_pretrained(base, **trust), trained, subfolder="adapter"
        ),
        "AutoPeftModel": AutoPeftModel.from_pretrained(adapter, **trust),
        "AutoModel": AutoModel.from_pretrained(adapter, **trust),
    }
    inputs = load_file(folder / "inputs.safetensors")
    with torch.no_grad():
        found = {name: model.eval()(**inputs).image_embeds for name, model in models.items()}
    save_file(found, folder / "outputs.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:4], Path(sys.argv[4]))
