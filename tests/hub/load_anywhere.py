"""Run in a process of its own by test_remote_code.py: loads an E2 where hf_fashion cannot be imported.

Usage: python -I load_anywhere.py SOURCE FOLDER, with a SOURCE that from_pretrained takes. Reads `inputs.safetensors`
and `image.png` from FOLDER and writes what it got to `results.json` and `outputs.safetensors`.
"""

import json
import sys
from pathlib import Path


def forbid_hf_fashion() -> None:
    sys.modules["hf_fashion"] = None
    try:
        import hf_fashion  # noqa: F401
    except ModuleNotFoundError:
        return
    raise AssertionError("hf_fashion can be imported, so this proves nothing")


def main(source: str, folder: Path) -> None:
    forbid_hf_fashion()
    import torch
    from PIL import Image
    from safetensors.torch import load_file, save_file
    from transformers import AutoConfig, AutoModel, AutoModelForZeroShotImageClassification, AutoProcessor, pipeline
    from transformers.models.auto.image_processing_auto import AutoImageProcessor

    trust = {"trust_remote_code": True}
    model = AutoModel.from_pretrained(source, **trust).eval()
    zero_shot_model = AutoModelForZeroShotImageClassification.from_pretrained(source, **trust)
    processor = AutoProcessor.from_pretrained(source, **trust)
    image_processor = AutoImageProcessor.from_pretrained(source, **trust)
    with torch.no_grad():
        outputs = model(**load_file(folder / "inputs.safetensors"), return_loss=True)

    image = Image.open(folder / "image.png")
    encoded = processor(images=image, text="a red dress", tags={"brand": "x"}, return_tensors="pt", padding=True)
    tensors = {name: outputs[name] for name in ("loss", "image_embeds", "text_embeds", "region_embeds", "tag_embeds")}
    tensors |= {name: encoded[name] for name in ("pixel_values", "input_ids", "tag_input_ids", "tag_ids")}
    tensors["pixel_values_alone"] = image_processor(images=image, return_tensors="pt")["pixel_values"]
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "outputs.safetensors")

    classify = pipeline("zero-shot-image-classification", model=source, **trust)
    extract = pipeline("image-feature-extraction", model=source, **trust)
    model.save_pretrained(folder / "saved_again")
    results = {
        "classes": [type(value).__name__ for value in (model, zero_shot_model, processor, image_processor)],
        "model_type": AutoConfig.from_pretrained(source, **trust).model_type,
        "labels": classify(image, candidate_labels=["dress", "shoe"]),
        "features": extract(image, pool=True),
        "modules": sorted(name for name, module in sys.modules.items() if name.startswith("hf_fashion") and module),
    }
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
