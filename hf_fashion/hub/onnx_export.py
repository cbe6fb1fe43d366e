"""Export a saved model to ONNX, for onnxruntime and transformers.js."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ..embedding.fingerprint import model_fingerprint
from ..embedding.saved_models import PROCESSOR_FILES, named_errors
from ..embedding.whole_model import load_whole
from ..files import file_written_aside, write_json
from ..models.e2.image_processing_e2 import E2ImageProcessorPil
from ..models.e2.photo_geometry_e2 import input_size
from .onnx_operators import operator_translations
from .onnx_parts import OnnxPart, onnx_parts


NEEDED = ("onnx", "onnxruntime", "onnxscript")
# An ONNX file is one message of protobuf, which holds no more.
LARGEST_FILE = 2**31 - 1
# transformers.js loads quantised files in a browser unless the configuration names another type.
JS_CONFIG = {"dtype": "fp32"}


@dataclass(frozen=True)
class OnnxFile:
    """An ONNX file that was written.

    Args:
        path (`Path`): the file.
        difference (`float`): the largest difference between its outputs and the model's, over batches of 1, 2 and 5.
    """

    path: Path
    difference: float


def export_onnx(
    folder: str | Path, output: str | Path | None = None, tolerance: float = 1e-4, trust_remote_code: bool = False
) -> list[OnnxFile]:
    """Export a saved model to ONNX files of float32, each run in onnxruntime and compared with the model.

    E2 gives `vision_model.onnx` and `text_model.onnx`, attribute-specific models and FR give `model.onnx`. The files
    appear together after all of them have been compared; an error leaves those that were there. The size of a batch is
    free, and so are the number of attributes or candidates and the size of the photos that regions are cut from.

    Args:
        folder (`str` or `Path`): folder of an E2, an attribute-specific model or an FR.
        output (`str` or `Path`, *optional*): folder for the files. Default: `onnx` in `folder`, where transformers.js
            and optimum look for them; then `config.json` tells transformers.js of their type, too.
        tolerance (`float`, *optional*, defaults to 1e-4): the largest difference that is accepted.
        trust_remote_code (`bool`, *optional*, defaults to `False`): whether code that the folder brings may run.

    Raises:
        ImportError: a package is missing.
        OSError: there is no model in the folder.
        ValueError: the model cannot be exported, or a file differs from it.
    """
    _check_packages()
    with named_errors(folder):
        model = load_whole(folder, dtype=torch.float32, trust_remote_code=trust_remote_code).eval()
    place = Path(folder) / "onnx" if output is None else Path(output)
    files, metadata = [], _metadata(model)
    with ExitStack() as renames:
        for part in onnx_parts(model, _photo_size(Path(folder), model)):
            path = place / f"{part.name}.onnx"
            aside = renames.enter_context(file_written_aside(path))
            _write(part, aside, metadata)
            files.append(OnnxFile(path, _checked_difference(part, aside, tolerance)))
    if output is None:
        _tell_transformers_js(Path(folder) / "config.json")
    return files


def _check_packages() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ImportError(f'ONNX export needs {" and ".join(missing)}: pip install "hf-fashion[onnx]"')


def _photo_size(folder: Path, model: PreTrainedModel) -> tuple[int, int] | None:
    """Height and width that the image processor next to an E2 makes of photos; `None` where there is none."""
    if model.config.model_type != "e2" or not any((folder / name).is_file() for name in PROCESSOR_FILES):
        return None
    return input_size(E2ImageProcessorPil.from_pretrained(folder))


def _metadata(model: PreTrainedModel) -> dict[str, str]:
    """Return the metadata of a file: the names behind its numbers, and the model whose galleries it fits."""
    facts = {
        "model_type": model.config.model_type,
        "fingerprint": model_fingerprint(model),
        "attribute_names": getattr(model.config, "attribute_names", None),
        "tag_entities": getattr(model.config, "tag_entities", None),
        "num_candidates": getattr(model.config, "num_candidates", None),
    }
    return {
        f"hf_fashion.{name}": fact if isinstance(fact, str) else json.dumps(fact)
        for name, fact in facts.items()
        if fact is not None
    }


def _write(part: OnnxPart, path: Path, metadata: dict[str, str]) -> None:
    program = _traced(part)
    weights = sum(value.const_value.nbytes for value in program.model.graph.initializers.values())
    if weights > LARGEST_FILE:
        raise ValueError(
            f"{part.name}.onnx would hold {weights:,} bytes of weights, and an ONNX file holds at most "
            f"{LARGEST_FILE:,} bytes. Export a smaller model"
        )
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # traces of where each line of code is on this machine
    program.model.metadata_props.update(metadata)
    program.save(path, external_data=False)


def _traced(part: OnnxPart) -> torch.onnx.ONNXProgram:
    with _few_words():
        try:
            return torch.onnx.export(
                part.module.eval(),
                kwargs=part.examples[0],
                output_names=list(part.outputs),
                dynamic_shapes=dict(part.dynamic),
                dynamo=True,
                verbose=False,
                custom_translation_table=operator_translations(),
            )
        except torch.onnx.errors.OnnxExporterError as error:
            reason = " ".join(str(error.__cause__ or error).split())
            raise ValueError(f"torch cannot export {part.name}.onnx of this model: {reason}") from error


@contextmanager
def _few_words() -> Iterator[None]:
    """Hide warnings of the exporter about its optimisations and its own code."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _checked_difference(part: OnnxPart, path: Path, tolerance: float) -> float:
    """Return the largest difference between a file and the model, over all examples; raise beyond the tolerance."""
    from onnxruntime import InferenceSession

    session = InferenceSession(path, providers=["CPUExecutionProvider"])
    differences = dict.fromkeys(part.outputs, 0.0)
    for example in part.examples:
        with torch.no_grad():
            expected = part.module(**example)
        found = session.run(None, {name: tensor.numpy() for name, tensor in example.items()})
        for name, one, other in zip(part.outputs, expected, found, strict=True):
            differences[name] = max(differences[name], _difference(one, torch.from_numpy(other)))
    worst = max(differences, key=differences.get)
    if differences[worst] > tolerance:
        raise ValueError(
            f"{part.name}.onnx is not written: in onnxruntime its {worst} differ from the model's by up to "
            f"{differences[worst]:.1e}, more than {tolerance:.0e}"
        )
    return differences[worst]


def _difference(one: Tensor, other: Tensor) -> float:
    """Return the largest difference; infinity for NaN, and 0 where both are the same infinity."""
    difference = (one.double() - other.double()).abs().masked_fill(one == other, 0.0)
    return difference.nan_to_num(nan=float("inf")).max().item()


def _tell_transformers_js(path: Path) -> None:
    config = json.loads(path.read_text(encoding="utf-8"))
    write_json({**config, "transformers.js_config": JS_CONFIG}, path)
