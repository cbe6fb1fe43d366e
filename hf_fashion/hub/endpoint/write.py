"""Writes the handler of an inference endpoint into the folder of a model."""

from __future__ import annotations

import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from huggingface_hub.utils import validate_repo_id
from transformers import AutoConfig

from ...embedding.encoder import Encoder
from ...embedding.features import check_supported
from ...embedding.saved_models import named_errors
from ...files import file_written_aside, folder_written_aside, write_json
from ...retrieval.gallery import Gallery
from ...retrieval.rerankers.loading import BASELINES, load_reranker
from ...retrieval.rerankers.reasoning import ReasoningReranker
from ...travelling_code import flat_modules
from .handler import CODE
from .service import SETTINGS


HANDLER = "handler.py"
REQUIREMENTS = "requirements.txt"
GALLERY, RERANKER = "gallery", "reranker"  # folders next to the model
HERE = Path(__file__).parent


def write_endpoint(folder: str | Path, gallery: str | Path | None = None, reranker: str | Path | None = None) -> None:
    """Write what an inference endpoint needs into the folder of a saved model: push the folder, and start one.

    `handler.py` and its code, `endpoint_code/`, classify and embed without hf_fashion. With a gallery the endpoint
    searches, for which `requirements.txt` names hf_fashion.

    Args:
        folder (`str` or `Path`): of E2, CLIP or an attribute-specific model with its processor. Its other files stay.
        gallery (`str` or `Path`, *optional*): a gallery's path or URI, which is saved into the folder; or the id of
            one on the Hub, which the endpoint loads when it starts. Default: no search.
        reranker (`str` or `Path`, *optional*): for a gallery: the folder of an FR, which is copied, the id of one on
            the Hub, `"query_expansion"` or `"k_reciprocal"`.

    Raises:
        FileNotFoundError: there is no such model, gallery or re-ranker.
        ValueError: they do not fit each other, or the folder has a handler of its own.
    """
    folder = Path(folder).expanduser()
    _check_folder(folder)
    if reranker is not None and gallery is None:
        raise ValueError("`reranker` is for a search: give a `gallery` too, or no re-ranker")
    found, other = _find_gallery(folder, gallery), _find_reranker(reranker)
    if isinstance(found, Gallery) and isinstance(other, ReasoningReranker):
        other.check_embedder(found.schema.fingerprint)
    settings = {}
    if found is not None:
        settings["gallery"] = found if isinstance(found, str) else _save_gallery(found, folder)
    if other is not None:
        settings["reranker"] = other if isinstance(other, str) else _save_reranker(other, folder)
    write_json(settings, folder / SETTINGS)
    _write_requirements(folder / REQUIREMENTS, with_gallery=gallery is not None)
    _write_code(folder)


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise FileNotFoundError(f"{folder} is no folder of a saved model: it has no config.json")
    with named_errors(folder):
        check_supported(AutoConfig.from_pretrained(folder, trust_remote_code=False))
    handler = folder / HANDLER
    if handler.is_file() and f'CODE = "{CODE}"' not in handler.read_text(encoding="utf-8"):
        raise ValueError(f"{handler} was not written by hf_fashion: move it to another folder, or use it as it is")


def _find_gallery(folder: Path, gallery: str | Path | None) -> Gallery | str | None:
    """The gallery, which fits the model, or its id on the Hub."""
    if gallery is None:
        return None
    try:
        opened = Gallery.open(gallery)
    except FileNotFoundError as error:
        return _hub_id(str(gallery), error)
    encoder = Encoder.from_pretrained(folder)
    opened.check_model(encoder.model, encoder.image_processor, encoder.tokenizer)
    return opened


def _find_reranker(reranker: str | Path | None) -> ReasoningReranker | str | None:
    """The re-ranker, its name, or its id on the Hub."""
    if reranker is None or reranker in BASELINES:
        return reranker
    if not Path(reranker).is_dir():
        return _hub_id(str(reranker), FileNotFoundError(f"there is no re-ranker at {reranker}"))
    return load_reranker(reranker)


def _save_gallery(gallery: Gallery, folder: Path) -> str:
    with folder_written_aside(folder / GALLERY, replace=True) as aside:
        gallery.save_pretrained(aside / GALLERY)
        for path in (aside / GALLERY).iterdir():
            path.rename(aside / path.name)
        (aside / GALLERY).rmdir()
    return GALLERY


def _save_reranker(reranker: ReasoningReranker, folder: Path) -> str:
    with folder_written_aside(folder / RERANKER, replace=True) as aside:
        reranker.model.save_pretrained(aside)
    return RERANKER


def _hub_id(name: str, missing: FileNotFoundError) -> str:
    """A name that is an id on the Hub; the endpoint loads it when it starts."""
    try:
        validate_repo_id(name)
    except ValueError:
        raise missing from None
    if name.count("/") != 1:
        raise missing
    return name


def _write_requirements(path: Path, with_gallery: bool) -> None:
    """Our lines, after those of others, which stay."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    others = [line for line in lines if not line.startswith(("transformers", "hf-fashion"))]
    ours = [f"hf-fashion[gallery]{_pin()}"] if with_gallery else ["transformers>=5.21,<6"]
    with file_written_aside(path) as aside:
        aside.write_text("\n".join([*others, *ours]) + "\n", encoding="utf-8")


def _pin() -> str:
    try:
        return f"=={version('hf-fashion')}"
    except PackageNotFoundError:  # a clone that was not installed
        return ""


def _write_code(folder: Path) -> None:
    with folder_written_aside(folder / CODE, replace=True) as aside:
        (aside / "__init__.py").write_text('"""Code of handler.py, written by hf_fashion."""\n', encoding="utf-8")
        for name, source in flat_modules(HERE / "service.py").items():
            (aside / name).write_text(source, encoding="utf-8")
    with file_written_aside(folder / HANDLER) as aside:
        shutil.copyfile(HERE / HANDLER, aside)
