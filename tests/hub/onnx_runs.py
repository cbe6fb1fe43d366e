"""Export a model to ONNX, and run the files in onnxruntime."""

from pathlib import Path

import torch
from onnxruntime import InferenceSession
from transformers import PreTrainedModel

from hf_fashion.hub.onnx_export import export_onnx


def exported(model: PreTrainedModel, folder: Path) -> Path:
    """Save a model, export it, and return the folder of the ONNX files."""
    model.save_pretrained(folder)
    export_onnx(folder)
    return folder / "onnx"


def run(path: Path, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the outputs of a file by their names."""
    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    return {output.name: torch.from_numpy(array) for output, array in zip(session.get_outputs(), found, strict=True)}
