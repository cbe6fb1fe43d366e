"""Audit a corpus: the one entrance of the command line and library users."""

import logging
from collections.abc import Sequence
from typing import Any

from datasets import DatasetDict
from transformers import PreTrainedModel, ProcessorMixin

from ..data.checks import CorpusError
from ..data.column_map import ColumnMap, column_map_for
from ..data.columns import column_problems
from ..data.loading import load_corpus
from ..data.products import product_texts
from ..data.splits import train_and_validation
from ..embedding.capabilities import attribute_names, check_supported
from ..embedding.corpus import equality_ids
from ..embedding.features import max_text_length
from ..embedding.saved_models import load_model
from ..messages import did_you_mean
from .audited_corpus import AuditedCorpus, Row
from .captions import audit_captions
from .duplicates import audit_duplicates
from .reachable import reachable_metrics
from .repeated_ids import audit_ids
from .seen_tags import find_disagreements
from .signatures import PhotoSignatures, read_signatures
from .values import audit_values


logger = logging.getLogger(__name__)


def audit(
    corpus: str,
    column_map: str | None = None,
    splits: Sequence[str] | None = None,
    model: str | None = None,
    batch_size: int = 64,
    device: str | None = None,
    progress: bool = True,
) -> tuple[AuditedCorpus, dict[str, Any]]:
    """Return a corpus as it is read, and what is wrong with it and can be reached with it.

    Args:
        corpus (`str`): `"generated"`, a path or a Hub id.
        column_map (`str`, *optional*): a YAML file or the name of a shipped map. Default: the map of the corpus.
        splits (`Sequence[str]`, *optional*): those to read. Default: all. A corpus with only one split, and with
            product ids, is then divided as in training; a warning says why where it cannot be.
        model (`str`, *optional*): folder or Hub id of a model that judges tags or attributes.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        device (`str`, *optional*): such as `"cuda:1"`. Default: a GPU if there is one.
        progress (`bool`, *optional*, defaults to `True`): whether to show bars.

    Returns:
        The rows, and a `dict` of what JSON can hold: `corpus`, `model`, `splits` (rows of each), `held_out` (whether
        it was divided here), `unreadable`, `repeated_ids` ([`audit_ids`]; `None` without a column of ids),
        `duplicates` ([`audit_duplicates`]), `disagreements` ([`find_disagreements`]; `None` without a model), `values`
        ([`audit_values`]), `captions` ([`audit_captions`]; `None` without a column of captions) and `reachable`
        (split -> [`reachable_metrics`]). A row is a dict of its split, its number there and its place in the source.

    Raises:
        ValueError: the columns are not as the map states, there is no such split, or the model cannot judge.
        OSError: there is no such corpus or model.
    """
    audited, held_out = load_audited(corpus, column_map_for(column_map, corpus), splits)
    parts = None
    if model is not None:
        parts = load_model(model, device, "float32")
        check_supported(parts[0].config)
    findings = audit_splits(audited, parts, batch_size, progress)
    return audited, {"corpus": corpus, "model": model, "held_out": held_out} | findings


def audit_splits(
    corpus: AuditedCorpus,
    parts: tuple[PreTrainedModel, ProcessorMixin] | None = None,
    batch_size: int = 64,
    progress: bool = True,
) -> dict[str, Any]:
    """Return the findings of [`audit`] in splits that are already loaded, without `corpus`, `model` and `held_out`.

    Args:
        corpus (`AuditedCorpus`): the rows.
        parts (`tuple[PreTrainedModel, ProcessorMixin]`, *optional*): a model that judges, and its processor.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        progress (`bool`, *optional*, defaults to `True`): whether to show bars.

    Raises:
        ValueError: no photo can be read, or the model has nothing to judge.
    """
    signatures = read_signatures(corpus, progress)
    readable = [row for row in range(len(corpus)) if row not in signatures.unreadable]
    if not readable:
        place, reason = corpus.name_rows(Row(0))["source"], signatures.unreadable[0]
        raise ValueError(f"every row has a photo that cannot be read, the first: {place}: {reason}")
    findings = {
        "splits": {name: len(split) for name, split in corpus.splits.items()},
        "unreadable": [{"row": Row(row), "reason": reason} for row, reason in signatures.unreadable.items()],
        "repeated_ids": audit_ids(corpus),
        "duplicates": audit_duplicates(corpus, signatures, progress),
        "disagreements": parts and find_disagreements(*parts, corpus, readable, batch_size, progress),
        "values": audit_values(corpus),
        "captions": _captions(corpus, parts),
        "reachable": _reachable(corpus, signatures),
    }
    return corpus.name_rows(findings)


def load_audited(
    corpus: str, column_map: ColumnMap, splits: Sequence[str] | None = None
) -> tuple[AuditedCorpus, bool]:
    """Load the splits of a corpus, `train` first, and return whether they were divided here.

    Args:
        corpus (`str`): `"generated"`, a path or a Hub id.
        column_map (`ColumnMap`): the columns that are read.
        splits (`Sequence[str]`, *optional*): those to read, as for [`audit`].

    Raises:
        ValueError: the columns are not as the map states, or there is no such split.
        OSError: there is no such corpus.
    """
    loaded = load_corpus(corpus, image_column=column_map.image, id_column=column_map.product_id, require_files=False)
    for name in splits or ():
        if name not in loaded:
            raise ValueError(
                f"no split {name!r} in {corpus}{did_you_mean(name, loaded)}, there are {', '.join(loaded)}"
            )
    # Files come in the order of the alphabet. Of two splits a leak is counted in the second, which is not trained on.
    names = sorted(dict.fromkeys(splits or loaded), key=lambda name: name != "train")
    chosen = DatasetDict({name: loaded[name] for name in names})
    problems = column_problems(chosen, column_map, require_caption=False)
    if problems:
        raise CorpusError(problems)
    if splits or len(chosen) > 1 or column_map.product_id is None:
        return AuditedCorpus(chosen, column_map), False
    try:
        return AuditedCorpus(train_and_validation(chosen, column_map), column_map), True
    except ValueError as error:  # what a training refuses is what an audit is asked for
        logger.warning("all rows are audited as one split, since a training could not divide them: %s", error)
        return AuditedCorpus(chosen, column_map), False


def _captions(corpus: AuditedCorpus, parts: tuple[PreTrainedModel, ProcessorMixin] | None) -> dict[str, Any] | None:
    """Tokens are counted where the model reads texts."""
    if corpus.column_map.caption is None:
        return None
    if parts is None or attribute_names(parts[0]):
        return audit_captions(corpus)
    model, processor = parts
    texts = [text for split in corpus.splits.values() for text in product_texts(split, corpus.column_map, processor)]
    tokens = processor.tokenizer(
        [text for text in texts if text is not None], split_special_tokens=True, verbose=False
    )
    return audit_captions(corpus, list(map(len, tokens["input_ids"])), max_text_length(model, processor.tokenizer))


def _reachable(corpus: AuditedCorpus, signatures: PhotoSignatures) -> dict[str, Any]:
    """Of every split that is not trained on; of the only one, if there is no other."""
    files = dict(zip(reversed(signatures.rows), reversed(signatures.files), strict=True))  # of the first view
    found = {}
    for name, split in corpus.splits.items():
        rows = [row for row in corpus.rows_of(name) if row not in signatures.unreadable]
        if rows and (name != "train" or len(corpus.splits) == 1):
            start = corpus.rows_of(name).start
            photo_ids = equality_ids(files[row] for row in rows)
            found[name] = reachable_metrics(split.select([row - start for row in rows]), corpus.column_map, photo_ids)
    return found
