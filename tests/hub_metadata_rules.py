"""What the Hub checks in the metadata of a card before it takes a commit, as its documentation describes it."""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from huggingface_hub.repocard import REGEX_YAML_BLOCK

from hf_fashion.hub.cards.licenses import LICENSES


TEXTS = ("library_name", "pipeline_tag", "license", "base_model_relation", "license_name")
LISTS_OF_TEXTS = ("tags", "language", "datasets", "base_model", "metrics")
IDS = re.compile(r"[\w.-]+(/[\w.-]+)?")
RELATIONS = ("adapter", "merge", "quantized", "finetune")
PIPELINE_TAGS = ("zero-shot-image-classification", "image-feature-extraction", "image-classification", "image-to-text")
PIPELINE_TAGS += ("other",)


def metadata_errors(card: str) -> list[str]:
    """Return what the Hub refuses in a card; empty for one that it takes."""
    match = REGEX_YAML_BLOCK.search(card)
    if match is None:
        return []  # only a warning
    try:
        fields = yaml.safe_load(match[2])
    except yaml.YAMLError as error:
        return [f"the metadata is not YAML: {error}"]
    return list(_errors(fields)) if isinstance(fields, dict) else ["the metadata must be an object"]


def _errors(fields: dict[str, Any]) -> Iterator[str]:
    for name in fields.keys() & set(TEXTS):
        if not isinstance(fields[name], str):
            yield f'"{name}" must be a string'
    for name in fields.keys() & set(LISTS_OF_TEXTS):
        for one in fields[name] if isinstance(fields[name], list) else [fields[name]]:
            if not isinstance(one, str) or not one:
                yield f'"{name}" must contain strings'
            elif name in ("datasets", "base_model") and not IDS.fullmatch(one):
                yield f'"{name}" with value "{one}" is not valid'
            elif name == "language" and not re.fullmatch("[a-z]{2,3}|code|multilingual", one):
                yield f'"language" must only contain codes of ISO 639, got "{one}"'
    if fields.get("license", "other") not in LICENSES:
        yield f'"license" must be one of {LICENSES}'
    if fields.get("base_model_relation", "finetune") not in RELATIONS:
        yield f'"base_model_relation" must be one of {RELATIONS}'
    if fields.get("pipeline_tag", "other") not in PIPELINE_TAGS:
        yield f'"pipeline_tag" must be one of {PIPELINE_TAGS}'
    if not all(isinstance(one, dict) and {"src", "text"} & one.keys() for one in fields.get("widget", [])):
        yield '"widget" must be a list of examples'
    yield from _errors_of_results(fields.get("model-index", []))


def _errors_of_results(index: Any) -> Iterator[str]:
    if not isinstance(index, list):
        yield '"model-index" must be an array'
        return
    for place, model in enumerate(index):
        if not model.get("name") or not isinstance(model.get("results"), list):
            yield f'"model-index[{place}]" needs a name and results'
            continue
        for number, result in enumerate(model["results"]):
            where = f"model-index[{place}].results[{number}]"
            for part, keys in (("task", ("type",)), ("dataset", ("type", "name"))):
                yield from (f'"{where}.{part}.{key}" is required' for key in keys if not result.get(part, {}).get(key))
            if not result.get("metrics"):
                yield f'"{where}.metrics" is required'
            for metric in result.get("metrics") or []:
                yield from (f'"{where}.metrics.{key}" is required' for key in ("type", "value") if key not in metric)
