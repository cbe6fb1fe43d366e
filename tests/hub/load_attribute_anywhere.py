"""Run in a process of its own: loads an attribute-specific model where hf_fashion cannot be imported.

Usage: python -I load_attribute_anywhere.py SOURCE FOLDER, with a SOURCE that from_pretrained takes. Reads `image.png`
from FOLDER and writes what it got to `results.json` and `outputs.safetensors`.
"""

import json
import runpy
import sys
from pathlib import Path


def main(source: str, folder: Path) -> None:
    # An isolated interpreter has no folder of scripts to import from.
    runpy.run_path(str(Path(__file__).with_name("load_anywhere.py")))["forbid_hf_fashion"]()
    import torch
    from PIL import Image
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModel
    from transformers.models.auto.image_processing_auto import AutoImageProcessor

    trust = {"trust_remote_code": True}
    model = AutoModel.from_pretrained(source, **trust).eval()
    processor = AutoImageProcessor.from_pretrained(source, **trust)
    inputs = processor(Image.open(folder / "image.png"), do_source=True, return_tensors="pt")
    with torch.no_grad():
        outputs = model(**inputs)
    tensors = {name: tensor.contiguous() for name, tensor in {**inputs, **outputs}.items()}
    save_file(tensors, folder / "outputs.safetensors")
    model.save_pretrained(folder / "saved_again")
    results = {
        "classes": [type(model).__name__, type(model.config).__name__, type(processor).__name__],
        "model_type": AutoConfig.from_pretrained(source, **trust).model_type,
        "attribute_values": model.config.attribute_values,
        "modules": sorted(name for name, module in sys.modules.items() if name.startswith("hf_fashion") and module),
    }
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
