"""Options of an evaluation: what it reads and what it measures. Light to import, for the help of command lines."""

from collections.abc import Sequence
from dataclasses import dataclass


PAIRINGS = ("distinct_titles", "same_title", "own_row")
PROTOCOLS = ("full", "sample100")


def check_protocol(protocol: str, group_column: str | None) -> None:
    """Raise if cross-modal retrieval has no such protocol.

    Args:
        protocol (`str`): `"full"` (every candidate) or `"sample100"` (one match and 100 non-matches of its group).
        group_column (`str` or `None`): column of the group, for `"sample100"`.

    Raises:
        ValueError: `protocol` is unknown, or lacks its `group_column`, or has one that it does not read.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"`protocol` must be one of {PROTOCOLS}, got {protocol!r}")
    if protocol == "sample100" and group_column is None:
        raise ValueError("the sample100 protocol draws negatives from a group: give `group_column`")
    if protocol == "full" and group_column is not None:
        raise ValueError(
            f"`group_column` {group_column!r} is for the protocol sample100: set it, or leave the column out"
        )


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions:
    """
    Options that every evaluation has.

    Args:
        column_map (`str`, *optional*): a YAML file or the name of a shipped map. Default: the map of the corpus.
        split (`str`, *optional*, defaults to `"validation"`): held out as in training where the corpus has no such
            split.
        validation_fraction (`float`, *optional*, defaults to 0.1): share of the products that is held out.
        train_split (`str`, *optional*): name of the train split. Default: `"train"`, or the only split.
        on_bad_image (`str`, *optional*, defaults to `"error"`): `"error"` or `"skip"`.
        batch_size (`int`, *optional*, defaults to 64): photos in a forward pass.
        device (`str`, *optional*): such as `"cuda:1"`. Default: a GPU if there is one.
        dtype (`str`, *optional*, defaults to `"float32"`): float type of the model.
        seed (`int`, *optional*, defaults to 0): of the draw of queries, or of the negatives of `"sample100"`.
        rerankers (`Sequence[str]`, *optional*, defaults to `()`): folders or Hub ids of FR models, or names of
            baselines.
        num_candidates (`int`, *optional*, defaults to 99): how many candidates baselines re-rank; an FR has its own
            number.
    """

    column_map: str | None = None
    split: str = "validation"
    validation_fraction: float = 0.1
    train_split: str | None = None
    on_bad_image: str = "error"
    batch_size: int = 64
    device: str | None = None
    dtype: str = "float32"
    seed: int = 0
    rerankers: Sequence[str] = ()
    num_candidates: int = 99


@dataclass(frozen=True, kw_only=True)
class E2Options(EvaluationOptions):
    """
    Options of the evaluation of E2, CLIP and FILIP.

    Args:
        protocol (`str`, *optional*, defaults to `"full"`): one of `PROTOCOLS`, see [`check_protocol`].
        pairing (`str`, *optional*, defaults to `"distinct_titles"`): what counts as a match, one of `PAIRINGS`.
        group_column (`str`, *optional*): column that negatives share with the match, for `"sample100"`.
        tags (`bool`, *optional*, defaults to `False`): measure zero-shot tags and tag-to-image search.
        linear_probe (`bool`, *optional*, defaults to `False`): measure a logistic regression on the embeddings.
        localisation (`bool`, *optional*, defaults to `False`): compare selected patches with true boxes.
        changes (`bool`, *optional*, defaults to `False`): measure searches by a photo and a change of one tag.
        fashion_iq (`str`, *optional*): folder with `cap.*.json` and `split.*.json` of Fashion-IQ, whose photos the
            corpus holds: only its queries of a photo and a change are measured.
        combiner (`str`, *optional*): folder or Hub id of a combiner that was trained with the model, to measure with
            `changes` or `fashion_iq`.

    Raises:
        ValueError: as [`check_protocol`], or there is a combiner and no query of a photo and a change.
    """

    protocol: str = "full"
    pairing: str = "distinct_titles"
    group_column: str | None = None
    tags: bool = False
    linear_probe: bool = False
    localisation: bool = False
    changes: bool = False
    fashion_iq: str | None = None
    combiner: str | None = None

    def __post_init__(self):
        check_protocol(self.protocol, self.group_column)
        if self.combiner and not (self.changes or self.fashion_iq):
            raise ValueError(
                f"`combiner` {self.combiner!r} is for queries of a photo and a change: ask for `changes` or "
                "`fashion_iq` too"
            )


@dataclass(frozen=True, kw_only=True)
class AttributeOptions(EvaluationOptions):
    """
    Options of the evaluation of attribute-specific models.

    Args:
        attributes (`Sequence[str]`, *optional*): attributes of the column map to search by. Default: the model's.
        all_folds (`bool`, *optional*, defaults to `False`): make every photo a query once, for steadier metrics.
        queries (`str`, *optional*): file of published queries, `query_<split>.txt`.
        candidates (`str`, *optional*): file of published candidates, `candidate_<split>.txt`.
        pointing (`bool`, *optional*, defaults to `False`): compare attention maps with true boxes.

    Raises:
        ValueError: only one of `queries` and `candidates` is given.
    """

    attributes: Sequence[str] | None = None
    all_folds: bool = False
    queries: str | None = None
    candidates: str | None = None
    pointing: bool = False

    def __post_init__(self):
        if bool(self.queries) != bool(self.candidates):
            raise ValueError(
                f"`queries` and `candidates` go together: give both files or none, got {self.queries!r} and "
                f"{self.candidates!r}"
            )


@dataclass(frozen=True, kw_only=True)
class CaptionOptions(EvaluationOptions):
    """
    Options of the evaluation of captioners.

    Args:
        num_beams (`int`, *optional*, defaults to 1): captions that the decoder follows at a time.

    Raises:
        ValueError: `rerankers` are given, or `num_beams` is below 1.
    """

    num_beams: int = 1

    def __post_init__(self):
        if self.rerankers:
            raise ValueError("`rerankers` are for models that search, and a captioner does not: leave them out")
        if self.num_beams < 1:
            raise ValueError(f"`num_beams` must be at least 1, got {self.num_beams}")
