"""Load a model with its processor. An error names the model, what is wrong with it, and the file that is damaged."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from PIL import Image
from safetensors import safe_open
from transformers import CONFIG_MAPPING, BaseImageProcessor, PreTrainedModel, ProcessorMixin

from ..hub_ids import is_hub_id
from ..messages import did_you_mean
from .capabilities import attribute_names
from .device import device_of, is_emulated
from .features import inference, photo_features, photo_inputs, text_features, text_inputs
from .remote_code import load_processor
from .whole_model import load_whole


logger = logging.getLogger(__name__)

# Arguments of `from_pretrained` that say where files are and whether to trust them: the processor gets them too.
PLACE = ("cache_dir", "force_download", "local_files_only", "revision", "subfolder", "token", "trust_remote_code")
PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
# Models that take the embeddings of another model, and have no processor; and the argument that they are for.
_COMPANIONS = {"feature_reasoning": "`reranker` (--reranker)", "combiner": "`combiner` (--combiner)"}
_WITHOUT_PACKAGE = (
    ". Without hf_fashion, give the model itself: AutoModel.from_pretrained({name!r}, trust_remote_code=True); with "
    "it, import hf_fashion first"
)

Companion = TypeVar("Companion")


def load_model(
    path_or_id: str | Path,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype = "auto",
    **kwargs: Any,
) -> tuple[PreTrainedModel, ProcessorMixin | BaseImageProcessor]:
    """Load a model, in evaluation mode, and its processor. A warning says where a CPU has to emulate its float type.

    Args:
        path_or_id (`str` or `Path`): a folder or the id of a model on the Hub.
        device (`str` or `torch.device`, *optional*): where to compute. Default: a GPU if there is one.
        dtype (`str` or `torch.dtype`, *optional*, defaults to `"auto"`): float type of the model; `"auto"`: as it was
            saved.
        kwargs (`Any`): as for `AutoModel.from_pretrained`. `trust_remote_code` is `False` if it is not given; nobody
            is asked.

    Raises:
        OSError: there is no such model.
        ValueError: the model cannot be loaded, its parts do not fit each other, or there is no such device.
    """
    device, kwargs = device_of(device), {"trust_remote_code": False} | kwargs
    place = {name: value for name, value in kwargs.items() if name in PLACE}
    with named_errors(path_or_id):
        model = load_whole(path_or_id, dtype=dtype, **kwargs)
        processor = load_processor(path_or_id, **place)
        model.to(device).eval()
        if is_emulated(model.dtype, device):
            logger.warning(
                "%s is in %s, for which this processor has no instructions: embedding may take ten times as long as "
                'with dtype="float32" (--dtype float32). A gallery is searched in the type that it was made in.',
                path_or_id,
                str(model.dtype).removeprefix("torch."),
            )
        _try(model, getattr(processor, "image_processor", processor), getattr(processor, "tokenizer", None))
    return model, processor


def _try(model: PreTrainedModel, image_processor: BaseImageProcessor, tokenizer: Any) -> None:
    """Embed a photo and a text, so that parts that do not fit each other are known before any work begins."""
    with inference(model):
        if attribute_names(model) or hasattr(model, "get_image_features"):
            photo_features(model, photo_inputs(image_processor, [Image.new("RGB", (80, 64))]))
        if tokenizer is not None and hasattr(model, "get_text_features"):
            known = model.config.text_config.vocab_size
            if len(tokenizer) > known:
                raise ValueError(f"its tokenizer has {len(tokenizer)} tokens, its text tower knows {known}")
            tokenizer(["a dress"])  # without a limit, as long texts are counted
            text_features(model, text_inputs(model, tokenizer, ["a dress"]))


def load_companion(
    name: str,
    model_type: str,
    wrap: Callable[[PreTrainedModel], Companion],
    expected: str,
    trust_remote_code: bool,
    suggestion: str = "",
) -> Companion:
    """Load a model that works on the embeddings of another, FR or a combiner, for an argument of the pipeline.

    Args:
        name (`str`): its folder or Hub id.
        model_type (`str`): its `model_type`; transformers knows it once hf_fashion is imported.
        wrap (`Callable`): makes what is returned of the model, and raises `ValueError` for a model of another kind.
        expected (`str`): what the argument must be, for errors, such as "`combiner` must be a CombinerModel".
        trust_remote_code (`bool`): whether code that comes with the model may run.
        suggestion (`str`, *optional*): follows the name in errors.

    Raises:
        ValueError: there is no such model, or it is of another kind.
    """
    try:
        with named_errors(name):
            model = load_whole(name, trust_remote_code=trust_remote_code)
        return wrap(model)
    except (OSError, ValueError) as error:
        hint = "" if model_type in CONFIG_MAPPING else _WITHOUT_PACKAGE.format(name=name)
        raise ValueError(f"{expected}, got {name!r}{suggestion}: {error}{hint}") from error


def models_inside(folder: Path) -> str:
    """Return `" (there are models in runs/best, runs/last)"` for a folder that is no model, or `""`.

    Args:
        folder (`Path`): the folder.
    """
    inside = sorted({path.parent for depth in ("*", "*/*") for path in folder.glob(f"{depth}/config.json")})
    return f" (there are models in {', '.join(map(str, inside[:3]))})" if inside else ""


def damaged_file(folder: Path) -> str | None:
    """Return a sentence about the first file that is damaged, and `None` where none is.

    Args:
        folder (`Path`): of a saved model.
    """
    for path in sorted(folder.iterdir()):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
            elif path.suffix == ".safetensors":
                safe_open(path, "pt")
        except Exception as error:  # safetensors has an error of its own
            return f"its file {path.name} is damaged ({type(error).__name__}: {error})"
    return None


@contextmanager
def named_errors(path_or_id: str | Path) -> Iterator[None]:
    """Raise errors of a `from_pretrained` inside the block, of whatever library, as one sentence about the model.

    Args:
        path_or_id (`str` or `Path`): the model.

    Raises:
        OSError: there is no such model.
        ValueError: the model cannot be loaded.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # safetensors, huggingface_hub and torch have errors of their own
        raise _explained(str(path_or_id), error) from error


def _explained(name: str, error: Exception) -> Exception:
    folder = Path(name)
    if not folder.exists():
        return FileNotFoundError(_missing(folder, name, error))
    if not folder.is_dir():
        return ValueError(f"a model is a folder or an id on the Hub, {name!r} is a file")
    if not (folder / "config.json").is_file():
        return FileNotFoundError(f"the folder {name!r} is not a model: it has no config.json{models_inside(folder)}")
    reason = damaged_file(folder) or _reason(folder, error)
    return ValueError(f"the model in {name!r} cannot be loaded: {reason}")


def _missing(folder: Path, name: str, error: Exception) -> str:
    """What was mistyped in a path; for what may be an id, what the Hub answered too."""
    known = next((parent for parent in folder.parents if parent.is_dir()), Path("."))
    rest = folder.relative_to(known).parts[1:]
    others = [str(other.joinpath(*rest)) for other in known.iterdir() if other.joinpath(*rest).is_dir()]
    message = f"there is no model in a folder {name!r}{did_you_mean(str(folder), others)}"
    if is_hub_id(name):
        message += f", nor can the model {name!r} of the Hub be loaded: {_reason(folder, error)}"
    return message


def _without_processor(folder: Path) -> str:
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    if kind in _COMPANIONS:
        return (
            f"a {kind!r} embeds nothing: give it as {_COMPANIONS[kind]}, next to the model whose embeddings it takes"
        )
    return f"it has no {PROCESSOR_FILES[0]}: save its processor there"


def _reason(folder: Path, error: Exception) -> str:
    text = str(error)
    if "trust_remote_code" in text:
        return "it brings code of its own, which runs only with `trust_remote_code`: read the code before you allow it"
    if "model.safetensors" in text:
        return "it has no file named model.safetensors, and weights of other files are not read: pickles can hold code"
    if "ignore_mismatched_sizes" in text:
        return "its weights have other shapes than its config.json names"
    if "processor" in text and folder.is_dir() and not any((folder / name).is_file() for name in PROCESSOR_FILES):
        return _without_processor(folder)
    first = " ".join(text.split()).partition(". ")[0].removesuffix(".")
    return first if isinstance(error, (OSError, ValueError)) else f"{type(error).__name__}: {first}"
