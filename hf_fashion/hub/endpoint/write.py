"""Writes the handler of an inference endpoint into the folder of a model."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from transformers import AutoConfig

from ...embedding.capabilities import check_supported
from ...embedding.encoder import Encoder
from ...embedding.saved_models import named_errors
from ...files import file_written_aside, folder_written_aside, write_json
from ...hub_ids import is_hub_id
from ...retrieval.gallery import Gallery
from ...retrieval.rerankers.loading import BASELINES, load_reranker
from ...retrieval.rerankers.reasoning import ReasoningReranker
from ...travelling_code import flat_modules
from ...versions import installed_version
from .handler import CODE
from .service import SETTINGS


logger = logging.getLogger(__name__)

HANDLER = "handler.py"
REQUIREMENTS = "requirements.txt"
GALLERY, RERANKER = "gallery", "reranker"  # folders next to the model
HERE = Path(__file__).parent


def write_endpoint(folder: str | Path, gallery: str | Path | None = None, reranker: str | Path | None = None) -> None:
    """Write what an inference endpoint needs into the folder of a saved model: push the folder, and start one.

    `handler.py` and its code, `endpoint_code/`, classify and embed without hf_fashion. With a gallery the endpoint
    searches, for which `requirements.txt` names hf_fashion. A gallery or re-ranker of an earlier call that is not
    given again is removed from the folder.

    Args:
        folder (`str` or `Path`): of E2, CLIP or an attribute-specific model with its processor. Its other files stay.
        gallery (`str` or `Path`, *optional*): a gallery's path or URI, which is saved into the folder; or the id of
            one on the Hub, which the endpoint loads when it starts. Default: no search.
        reranker (`str` or `Path`, *optional*): for a gallery: the folder of an FR, which is copied, the id of one on
            the Hub, `"query_expansion"` or `"k_reciprocal"`.

    Raises:
        FileNotFoundError: there is no such model, gallery or re-ranker.
        ValueError: they do not fit each other, the folder has a handler, a `gallery/` or a `reranker/` of its own, or
            one of an earlier call would be removed for an id on the Hub, which is not looked up.
    """
    folder = Path(folder).expanduser()
    _check_folder(folder)
    if reranker is not None and gallery is None:
        raise ValueError("`reranker` is for a search: give a `gallery` too, or no re-ranker")
    found, other = _find_gallery(folder, gallery), _find_reranker(reranker)
    if isinstance(found, Gallery) and isinstance(other, ReasoningReranker):
        other.check_embedder(found.schema.fingerprint)
    before = _written_before(folder)
    saved = {GALLERY: isinstance(found, Gallery), RERANKER: isinstance(other, ReasoningReranker)}
    _check_place(folder, {name for name in saved if saved[name]} - before)
    _require_known(folder, before, {GALLERY: found, RERANKER: other})
    for name in before:
        if not saved[name]:
            shutil.rmtree(folder / name, ignore_errors=True)
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


def _written_before(folder: Path) -> set[str]:
    """The folders next to the model that an earlier call has written."""
    path = folder / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return {name for name in (GALLERY, RERANKER) if settings.get(name) == name and (folder / name).exists()}
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} was not written by hf_fashion, or is damaged ({error}): remove it") from error


def _check_place(folder: Path, names: set[str]) -> None:
    for name in names:
        if (folder / name).exists():
            raise ValueError(f"{folder / name} was not written as part of an endpoint: move it to another folder")


def _require_known(folder: Path, before: set[str], found: Mapping[str, object]) -> None:
    """Raise where what an earlier call has saved would be removed for an id that may be a mistyped path."""
    for name in sorted(before):
        other = found[name]
        if isinstance(other, str) and other not in BASELINES:
            raise ValueError(
                f"{folder / name} was saved by an earlier call and would be removed for {other!r}, which is no folder "
                "here, and is not looked up on the Hub: correct the path, or remove the folder yourself if it is an id"
            )


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
    if not is_hub_id(name, owner=True):
        raise missing
    if Path(name).parent.is_dir():
        raise FileNotFoundError(
            f"{missing}. It is not taken for an id on the Hub either, since {Path(name).parent} is a folder here: "
            "correct the path, or call this from another folder"
        )
    logger.warning(
        "%r is no folder here: it is taken for an id on the Hub, which the endpoint loads at its start", name
    )
    return name


def _write_requirements(path: Path, with_gallery: bool) -> None:
    """Our lines, after those of others, which stay."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    others = [line for line in lines if _project(line) not in ("transformers", "hf-fashion")]
    ours = [f"hf-fashion[gallery]{_pin()}"] if with_gallery else ["transformers>=5.21,<6"]
    with file_written_aside(path) as aside:
        aside.write_text("\n".join([*others, *ours]) + "\n", encoding="utf-8")


def _project(line: str) -> str:
    """The name of the project that a line of requirements.txt asks for, as PyPI compares names."""
    name = re.match(r"\s*([\w.-]*)", line)[1]
    return re.sub(r"[-_.]+", "-", name).lower()


def _pin() -> str:
    """The version; of a clone that was not installed, nothing."""
    version = installed_version("hf-fashion")
    return f"=={version}" if version else ""


def _write_code(folder: Path) -> None:
    with folder_written_aside(folder / CODE, replace=True) as aside:
        (aside / "__init__.py").write_text('"""Code of handler.py, written by hf_fashion."""\n', encoding="utf-8")
        for name, source in flat_modules(HERE / "service.py").items():
            (aside / name).write_text(source, encoding="utf-8")
    with file_written_aside(folder / HANDLER) as aside:
        shutil.copyfile(HERE / HANDLER, aside)
