"""Evaluate a model on a corpus: the one entrance of the command line, the scripts and library users."""

from dataclasses import fields
from typing import Any

from transformers import AutoConfig

from ..data.column_map import column_map_for
from ..embedding.capabilities import PHOTO_AND_TEXT_TYPES, compares_tokens
from ..embedding.saved_models import load_model, named_errors
from ..messages import did_you_mean
from ..models.captioner.configuration_captioner import CaptionerConfig
from .attribute_evaluation import evaluate_attribute_model
from .captions.caption_evaluation import evaluate_captions
from .e2_evaluation import evaluate_e2
from .options import AttributeOptions, CaptionOptions, E2Options, EvaluationOptions
from .splits import load_splits


KINDS = (E2Options, AttributeOptions, CaptionOptions)


def evaluate(model: str, corpus: str, **options: Any) -> dict[str, Any]:
    """Evaluate a saved model on one split of a corpus whose right answers are known.

    E2, CLIP and FILIP find photos by descriptions and descriptions by photos; attribute-specific models find photos
    with the same value of an attribute; captioners describe photos.

    Args:
        model (`str`): folder or Hub id of a model with its processor.
        corpus (`str`): `"generated"`, a path or a Hub id.
        **options: fields of [`E2Options`] for E2, CLIP and FILIP, of [`AttributeOptions`] for attribute-specific
            models, of [`CaptionOptions`] for captioners.

    Returns:
        `dict`: what JSON can hold: `model`, `corpus`, `split`, `dtype`, `skipped_rows`, and the results of
        [`evaluate_e2`], [`evaluate_attribute_model`] or [`evaluate_captions`].

    Raises:
        ValueError: the model or an option is of another kind, or the corpus cannot be used as it is.
        OSError: there is no such model or corpus.
    """
    chosen = read_options(model, options)
    column_map = column_map_for(chosen.column_map, corpus)
    learns = isinstance(chosen, E2Options) and chosen.linear_probe
    dataset, train, report = load_splits(
        corpus,
        column_map,
        chosen.split,
        chosen.train_split,
        chosen.validation_fraction,
        chosen.on_bad_image,
        with_train=learns,
    )
    parts = load_model(model, chosen.device, chosen.dtype)
    if isinstance(chosen, E2Options):
        measured = evaluate_e2(*parts, dataset, column_map, chosen, train)
    elif isinstance(chosen, CaptionOptions):
        measured = evaluate_captions(*parts, dataset, column_map, chosen)
    else:
        measured = evaluate_attribute_model(*parts, dataset, column_map, chosen)
    results = {"model": model, "corpus": corpus, "split": chosen.split, "dtype": chosen.dtype}
    return results | {"skipped_rows": len(report.skipped.get(chosen.split, []))} | measured


def read_options(model: str, options: dict[str, Any]) -> EvaluationOptions:
    """Check the options of an evaluation against the kind of the model.

    Args:
        model (`str`): folder or Hub id.
        options (`dict`): name -> value.

    Raises:
        ValueError: the model is not attribute-specific, E2, CLIP, FILIP or a captioner, or an option is not known for
            its kind.
        OSError: there is no such model.
    """
    kind = _options_of(model)
    known = {field.name for field in fields(kind)}
    unknown = [name for name in options if name not in known]
    if unknown:
        other = {field.name for kind in KINDS for field in fields(kind)} - known
        name = unknown[0]
        if name in other:
            raise ValueError(f"`{name}` is for another kind of models, not for {model}; leave it out")
        raise ValueError(f"an evaluation has no option `{name}`{did_you_mean(name, known)}, only {sorted(known)}")
    return kind(**options)


def _options_of(model: str) -> type[EvaluationOptions]:
    with named_errors(model):
        config = AutoConfig.from_pretrained(model, trust_remote_code=False)
    if getattr(config, "attribute_names", None):
        return AttributeOptions
    if config.model_type == CaptionerConfig.model_type:
        return CaptionOptions
    if config.model_type in PHOTO_AND_TEXT_TYPES or compares_tokens(config):
        return E2Options
    raise ValueError(
        f"{model} is a {config.model_type!r}: only E2, FILIP, CLIP, SigLIP, attribute-specific models and "
        "captioners are evaluated. Name a re-ranker with `rerankers`, next to the model that it re-ranks for"
    )
