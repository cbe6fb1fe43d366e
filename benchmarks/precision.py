"""Measure models in bfloat16, float16 and int8 against float32: cosines, nearest neighbours, size, time.

    make quickstart
    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/precision.py --models runs/quickstart \\
        --output benchmarks/results/precision.json

Cosines and neighbours are those of the quickstart's trained models on generated photos that they have not seen. Sizes
and times are of models of the papers' sizes with random weights; calls of all precisions alternate in one process, and
processor time is counted, which other work on the machine changes little. The cosines there compare the outputs for
random pixels.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torchao.quantization import Int8DynamicActivationInt8WeightConfig, Int8WeightOnlyConfig
from transformers import AutoModel, AutoProcessor, PreTrainedModel, ResNetConfig, TorchAoConfig

from benchmarks.timing import interleaved
from hf_fashion.data.loading import load_corpus
from hf_fashion.embedding.encoder import Encoder
from hf_fashion.files import write_json
from hf_fashion.models.attribute.configuration_asen import AsenConfig
from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from hf_fashion.models.e2.configuration_e2 import E2VisionConfig
from hf_fashion.models.e2.modeling_e2 import E2VisionModel
from hf_fashion.models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel


INT8, INT8_ACTIVATIONS = Int8WeightOnlyConfig(), Int8DynamicActivationInt8WeightConfig()
# Name -> the options of `from_pretrained`.
PRECISIONS: dict[str, dict[str, Any]] = {
    "float32": {},
    "bfloat16": {"dtype": torch.bfloat16},
    "float16": {"dtype": torch.float16},
    "int8 weights": {"quantization_config": TorchAoConfig(INT8)},
    "int8 weights and activations": {"quantization_config": TorchAoConfig(INT8_ACTIVATIONS)},
}
NUM_PHOTOS = 200


def load(folder: Path, loader: type = AutoModel) -> dict[str, PreTrainedModel]:
    return {name: loader.from_pretrained(folder, **options).eval() for name, options in PRECISIONS.items()}


def photo_embeds(model: PreTrainedModel, folder: Path, photos: list) -> Tensor:
    """Return the embeddings (spaces, N, d) of photos."""
    found = Encoder(model, AutoProcessor.from_pretrained(folder)).encode_document(photos, convert_to="tensor")
    return torch.stack(list(found.values())) if isinstance(found, dict) else found[None]


def fidelity(expected: Tensor, found: Tensor) -> dict[str, float]:
    """Return the cosines of embeddings (spaces, N, d) to float32, and how often the nearest photo is the same."""
    cosines = torch.cosine_similarity(expected, found, dim=-1)
    return {
        "cosine_min": cosines.min().item(),
        "cosine_mean": cosines.mean().item(),
        "same_nearest": (nearest(expected) == nearest(found)).float().mean().item(),
    }


def nearest(embeds: Tensor) -> Tensor:
    scores = embeds @ embeds.mT  # (spaces, N, N)
    return scores.diagonal_scatter(torch.full(scores.shape[:2], -torch.inf), dim1=-2, dim2=-1).argmax(-1)


def embedding_rows(folder: Path) -> tuple[list[dict], dict[str, Tensor]]:
    """Return the rows of a model that embeds photos, and its embeddings (spaces, N, d) by precision."""
    corpus = load_corpus("generated", generated={"train_rows": 1, "validation_rows": NUM_PHOTOS, "seed": 99})
    photos = corpus["validation"]["image"][:]
    embeds = {name: photo_embeds(model, folder, photos) for name, model in load(folder).items()}
    return [row(folder, name, fidelity(embeds["float32"], found)) for name, found in embeds.items()], embeds


def reranking_rows(folder: Path, embeds: Tensor) -> list[dict]:
    """Return the rows of FR, whose lists are the nearest photos of each photo in each space of `embeds`."""
    models = load(folder)
    number = models["float32"].config.num_candidates
    scores = embeds @ embeds.mT
    order = scores.diagonal_scatter(torch.full(scores.shape[:2], -torch.inf), dim1=-2, dim2=-1).topk(number).indices
    spaces = torch.arange(len(embeds))[:, None, None]
    lists = embeds.flatten(0, 1), embeds[spaces, order].flatten(0, 1)  # (Q, d), (Q, k, d)
    with torch.inference_mode():
        found = {name: model.rerank(*lists) for name, model in models.items()}
    first = found["float32"].argmax(-1)
    return [
        row(
            folder,
            name,
            {
                "cosine_min": torch.cosine_similarity(found["float32"], scores, dim=-1).min().item(),
                "cosine_mean": torch.cosine_similarity(found["float32"], scores, dim=-1).mean().item(),
                "same_nearest": (first == scores.argmax(-1)).float().mean().item(),
            },
        )
        for name, scores in found.items()
    ]


def row(folder: Path, precision: str, values: dict[str, float]) -> dict:
    found = {"model": folder.parent.name, "precision": precision} | values
    print(found, flush=True)
    return found


def megabytes(model: PreTrainedModel) -> float:
    """Return the size of the weights; those of torchao are made of several tensors."""
    tensors = list(model.state_dict().values())
    while any(hasattr(tensor, "__tensor_flatten__") for tensor in tensors):
        tensors = [part for tensor in tensors for part in parts(tensor)]
    return sum(tensor.nbytes for tensor in tensors) / 2**20


def parts(tensor: Tensor) -> list[Tensor]:
    names = tensor.__tensor_flatten__()[0] if hasattr(tensor, "__tensor_flatten__") else ()
    return [getattr(tensor, name) for name in names] or [tensor]


class LargeModel(NamedTuple):
    """A model of a paper's size with random weights, inputs for it, and the field of its output to compare."""

    title: str
    model: PreTrainedModel
    inputs: dict[str, Tensor]
    field: str


def large_models() -> Iterator[LargeModel]:
    torch.manual_seed(0)
    names = ["collar", "neckline", "sleeve"]
    attributes = {"attribute_names": names, "attribute_values": {name: ["a", "b"] for name in names}}
    photos = {"pixel_values": torch.randn(4, 3, 224, 224)}
    yield LargeModel("E2's image side, ViT-B/32, 4 photos", E2VisionModel(E2VisionConfig()), photos, "image_embeds")
    photo = {"pixel_values": torch.randn(1, 3, 224, 224)}
    asen = AsenConfig(local_backbone_config=ResNetConfig(out_features=["stage3"]), **attributes)
    yield LargeModel("ASEN++, two ResNet-50, 1 photo", AsenModel(asen), photo, "attribute_embeds")
    ipad = IpadModel(IpadConfig(**attributes))
    yield LargeModel("IPAD, ResNet-50 and ViT-B/16, 1 photo", ipad, photo, "attribute_embeds")
    fr = FeatureReasoningModel(FeatureReasoningConfig())
    with torch.no_grad():
        for update in (fr.query_update, fr.candidate_update):
            update.fc_out.weight.normal_(std=0.02)  # a new FR changes no list
    number = fr.config.num_candidates
    lists = {"query_embeds": torch.randn(1, 512), "candidate_embeds": torch.randn(1, number, 512)}
    yield LargeModel(f"FR, a list of {number}", fr, lists, "similarities")


def speed_rows(rounds: int) -> list[dict]:
    rows = []
    for title, model, inputs, field in large_models():
        with tempfile.TemporaryDirectory() as folder:
            model.save_pretrained(folder)
            models = load(Path(folder), type(model))
        calls: dict[str, Callable] = {name: partial(loaded, **inputs) for name, loaded in models.items()}
        with torch.inference_mode():
            outputs = {name: call()[field].float() for name, call in calls.items()}
            seconds = interleaved(calls, rounds, warm_up=0, clock=time.process_time)
        for name, loaded in models.items():
            cosines = torch.cosine_similarity(outputs["float32"], outputs[name], dim=-1)
            values = {"megabytes": megabytes(loaded), "seconds": seconds[name], "cosine_min": cosines.min().item()}
            rows.append({"model": title, "precision": name} | values)
            print(rows[-1], flush=True)
    return rows


def fidelity_rows(models: Path) -> list[dict]:
    e2, _ = embedding_rows(models / "e2" / "best")
    ipad, embeds = embedding_rows(models / "ipad" / "best")
    return [*e2, *ipad, *reranking_rows(models / "fr" / "best", embeds["float32"])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True, help="folder of the quickstart's models")
    parser.add_argument("--rounds", type=int, default=3, help="calls of each model that are counted")
    parser.add_argument("--only", choices=("fidelity", "speed"), help="the part to measure again")
    parser.add_argument("--output", type=Path, required=True, help="JSON file; a part that is not measured stays")
    arguments = parser.parse_args()

    results = json.loads(arguments.output.read_text()) if arguments.output.exists() else {}
    if arguments.only != "speed":
        results["fidelity"] = fidelity_rows(arguments.models)
    if arguments.only != "fidelity":
        results["speed"] = speed_rows(arguments.rounds)
        results["speed_threads"] = torch.get_num_threads()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(results, arguments.output)


if __name__ == "__main__":
    main()
