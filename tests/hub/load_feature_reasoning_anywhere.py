"""Run in a process of its own: loads an FR where hf_fashion cannot be imported.

Usage: python -I load_feature_reasoning_anywhere.py SOURCE FOLDER, with a SOURCE that from_pretrained takes. Reads
`lists.safetensors` from FOLDER and writes `outputs.safetensors`.
"""

import runpy
import sys
from pathlib import Path


def main(source: str, folder: Path) -> None:
    # An isolated interpreter has no folder of scripts to import from.
    runpy.run_path(str(Path(__file__).with_name("load_anywhere.py")))["forbid_hf_fashion"]()
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import AutoModel

    model = AutoModel.from_pretrained(source, trust_remote_code=True).eval()
    with torch.no_grad():
        outputs = model(**load_file(folder / "lists.safetensors"))
    save_file({name: tensor.contiguous() for name, tensor in outputs.items()}, folder / "outputs.safetensors")
    model.save_pretrained(folder / "saved_again")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
