"""Measure what torch.compile (inductor) and onnxruntime gain over eager, on a CPU.

    PYTHONPATH=. OMP_NUM_THREADS=1 python benchmarks/compiled_speed.py --output benchmarks/results/compiled_speed.json

Random weights at the papers' sizes. Calls alternate, each with one thread, and the seconds of the processor are
counted, so that other work on the machine disturbs little. bfloat16 is measured in eager and compiled; ONNX files are
float32.
"""

import argparse
import tempfile
from functools import partial
from pathlib import Path
from time import process_time

import torch
from onnxruntime import InferenceSession, SessionOptions
from torch import Tensor
from transformers import AutoModel, PreTrainedModel

import hf_fashion  # noqa: F401
from benchmarks.timing import interleaved
from hf_fashion.files import write_json
from hf_fashion.hub.onnx_export import export_onnx
from hf_fashion.hub.onnx_parts import OnnxPart, onnx_parts
from hf_fashion.models.attribute.configuration_ipad import IpadConfig
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from hf_fashion.models.e2.configuration_e2 import E2Config
from hf_fashion.models.e2.modeling_e2 import E2Model
from hf_fashion.models.feature_reasoning.configuration_feature_reasoning import FeatureReasoningConfig
from hf_fashion.models.feature_reasoning.modeling_feature_reasoning import FeatureReasoningModel


TEXT = {"eos_token_id": 49407, "bos_token_id": 49406}
# Each model, and the inputs of its parts by their names.
MODELS = {
    "E2, ViT-B/32": lambda: E2Model(E2Config(text_config=TEXT)),
    "IPAD, ResNet-50 and ViT-B/16": lambda: IpadModel(IpadConfig(attribute_names=["neckline", "pattern"])),
    "FR, 499 candidates": lambda: FeatureReasoningModel(FeatureReasoningConfig()),
}


def inputs_of(name: str, part: OnnxPart) -> dict[str, Tensor]:
    """Return inputs as a shop's server gets them."""
    if name.startswith("FR"):
        candidates = torch.randn(4, 499, 1024)
        mask = torch.ones(4, 499, dtype=torch.bool)
        return {"query_embeds": torch.randn(4, 1024), "candidate_embeds": candidates, "candidate_mask": mask}
    if part.name == "text_model":
        ids = torch.randint(40000, (8, 16))
        ids[:, -1] = TEXT["eos_token_id"]
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    pixels = torch.randn(4, 3, 224, 224)
    if part.name == "vision_model":
        return {"pixel_values": pixels}
    sources = {"source_pixel_values": torch.randn(4, 3, 320, 240), "source_sizes": torch.tensor([[320, 240]] * 4)}
    return {"pixel_values": pixels, "attribute_ids": torch.zeros(4, 1, dtype=torch.long), **sources}


def call(module: torch.nn.Module, inputs: dict[str, Tensor]) -> None:
    with torch.no_grad():
        module(**inputs)


def session_of(folder: str, part: OnnxPart) -> InferenceSession:
    options = SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return InferenceSession(Path(folder, "onnx", f"{part.name}.onnx"), options, providers=["CPUExecutionProvider"])


def float32_rows(name: str, model: PreTrainedModel, rounds: int) -> list[dict]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        files = {file.path.stem: file for file in export_onnx(folder)}
        for part in onnx_parts(model):
            inputs, session = inputs_of(name, part), session_of(folder, part)
            feed = {key: value.numpy() for key, value in inputs.items()}
            calls = eager_and_compiled(name, part, inputs) | {"onnxruntime": partial(session.run, None, feed)}
            row = measured(name, part, "float32", calls, rounds)
            rows.append(row | {"difference": files[part.name].difference, "megabytes": size_of(files[part.name].path)})
            print(rows[-1], flush=True)
    return rows


def bfloat16_rows(name: str, model: PreTrainedModel, rounds: int) -> list[dict]:
    rows = []
    for part in onnx_parts(model):
        inputs = inputs_of(name, part)
        rows.append(measured(name, part, "bfloat16", eager_and_compiled(name, part, inputs), rounds))
        print(rows[-1], flush=True)
    return rows


def eager_and_compiled(name: str, part: OnnxPart, inputs: dict[str, Tensor]) -> dict:
    calls = {"eager": partial(call, part.module, inputs)}
    if not name.startswith("FR"):  # most of FR is matrix products in float64
        calls["compiled"] = partial(call, torch.compile(part.module, fullgraph=True), inputs)
    return calls


def measured(name: str, part: OnnxPart, dtype: str, calls: dict, rounds: int) -> dict:
    seconds = interleaved(calls, rounds, warm_up=2, clock=process_time)
    ratios = {f"{other} gains": seconds["eager"] / seconds[other] for other in seconds if other != "eager"}
    return {"model": name, "part": part.name, "dtype": dtype, **seconds, **ratios}


def size_of(path: Path) -> float:
    return path.stat().st_size / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="calls of each that are counted")
    parser.add_argument("--output", type=Path, required=True, help="JSON file")
    arguments = parser.parse_args()

    rows = []
    for name, make in MODELS.items():
        torch.manual_seed(0)
        model = make().eval()
        rows += float32_rows(name, model, arguments.rounds)
        if not name.startswith("FR"):  # which computes in float64 whatever it is given
            rows += bfloat16_rows(
                name, AutoModel.from_config(model.config, dtype=torch.bfloat16).eval(), arguments.rounds
            )
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        write_json({"threads": torch.get_num_threads(), "rows": rows}, arguments.output)


if __name__ == "__main__":
    main()
