"""Reads a request from strangers: its form and its size, before anything of it is decoded or computed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from ...embedding.queries import KEYS, FashionQuery
from ...embedding.query_photos import BASE64_BEGINNINGS
from ...images import names_photo
from ...messages import did_you_mean, shown


MAX_QUERIES = 16
MAX_PHOTO_BYTES = 20 * 1024 * 1024
MAX_PHOTO_TEXT = MAX_PHOTO_BYTES * 4 // 3 + 100  # in base64, with the beginning of a data URL
MAX_TERMS = 64
MAX_TEXT = 10_000  # characters
MAX_LABELS = 256
MAX_RESULTS = 1000
# `options` is for the Hub's own servers: whether to wait for the model, or to take an answer from a cache.
FIELDS = ("inputs", "parameters", "options")
SHORTEST_PHOTO = 60  # characters of base64


@dataclass(frozen=True)
class EndpointRequest:
    """A request that was read.

    Args:
        queries (`tuple[dict]`): queries as the pipeline takes them, dicts. Photos are not decoded.
        single (`bool`): whether one query came, which is answered without a list.
        parameters (`dict`): those that are given.
    """

    queries: tuple[dict[str, Any], ...]
    single: bool
    parameters: dict[str, Any]

    @classmethod
    def read(cls, data: Any) -> EndpointRequest:
        """Read a request.

        Args:
            data (`dict`): `inputs`, a query or a list of them, and `parameters`.

        Raises:
            ValueError: a part is missing, unknown, too large or of another type.
        """
        if not isinstance(data, Mapping) or data.get("inputs") is None:
            raise ValueError("a request is a JSON object with `inputs`, a photo, a text or a dict, and `parameters`")
        _check_names(data, FIELDS, "a request")
        parameters = _read_parameters(data.get("parameters"))
        inputs = data["inputs"]
        single = not isinstance(inputs, list)
        if not single and not 1 <= len(inputs) <= MAX_QUERIES:
            raise ValueError(f"`inputs` is a query or a list of 1 to {MAX_QUERIES}, got {len(inputs)}")
        return cls(tuple(map(_read_query, [inputs] if single else inputs)), single, parameters)


def _read_query(query: Any) -> dict[str, Any]:
    if isinstance(query, str):
        query = {"image": query} if names_photo(query) or _is_encoded_photo(query) else {"text": query}
    elif isinstance(query, (bytes, Image.Image)):
        query = {"image": query}
    if not isinstance(query, Mapping):
        raise ValueError(f"a query is a photo in base64, a text or a dict, got {shown(query)}")
    query = {name: value for name, value in query.items() if value is not None}
    terms = query.get("terms", query)
    if isinstance(terms, Mapping) and len(terms) > MAX_TERMS:
        raise ValueError(f"a query has at most {MAX_TERMS} terms, got {len(terms)}")
    for text in (query.get("text", ""), query.get("change", ""), *(terms if isinstance(terms, Mapping) else ())):
        _check_text(text, "a text")
    if "image" in query:
        _check_photo(query["image"])
    FashionQuery.read(query)
    return query if set(KEYS) & set(query) else {"terms": query}


def _is_encoded_photo(text: str) -> bool:
    """Whether a string is no text but the base64 of a photo."""
    return text.startswith(BASE64_BEGINNINGS) and len(text) >= SHORTEST_PHOTO and " " not in text[:SHORTEST_PHOTO]


def _check_photo(photo: Any) -> None:
    if not isinstance(photo, (str, bytes, Image.Image)):
        raise ValueError(f"`image` must be a photo in base64, got {shown(photo)}")
    length, most = (0, 0) if isinstance(photo, Image.Image) else (len(photo), MAX_PHOTO_BYTES)
    if length > (MAX_PHOTO_TEXT if isinstance(photo, str) else most):
        raise ValueError(f"a photo has at most {MAX_PHOTO_BYTES // 2**20} MB: shrink it, the model sees far less")


def _check_text(text: Any, what: str) -> None:
    if isinstance(text, str) and len(text) > MAX_TEXT:
        raise ValueError(f"{what} has at most {MAX_TEXT:,} characters, got {len(text):,}")


def _read_parameters(parameters: Any) -> dict[str, Any]:
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping):
        raise ValueError(f"`parameters` must be an object, got {shown(parameters)}")
    _check_names(parameters, PARAMETERS, "`parameters`")
    given = {name: value for name, value in parameters.items() if value is not None}
    for name, value in given.items():
        PARAMETERS[name](name, value)
    if "hypothesis_template" in given and "candidate_labels" not in given:
        raise ValueError("`hypothesis_template` is for `candidate_labels`, and there are none")
    return given


def _check_names(given: Mapping[Any, Any], known: Any, what: str) -> None:
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(
            f"{what} has no {shown(unknown[0])}{did_you_mean(str(unknown[0])[:100], known)}, only {', '.join(known)}"
        )


def _check_number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"`{name}` must be a number, got {shown(value)}")


def _check_count(name: str, value: Any) -> None:
    if type(value) is not int or not 1 <= value <= MAX_RESULTS:
        raise ValueError(f"`{name}` must be a whole number from 1 to {MAX_RESULTS:,}, got {shown(value)}")


def _check_name(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise ValueError(f"`{name}` must be a string, got {shown(value)}")
    _check_text(value, f"`{name}`")


def _check_filter(name: str, value: Any) -> None:
    if not isinstance(value, (str, Mapping)):
        raise ValueError(f"`{name}` must be a condition in SQL or an object, got {shown(value)}")
    try:
        _check_text(json.dumps(value), f"`{name}`")
    except (RecursionError, TypeError) as error:
        raise ValueError(f"`{name}` must be a condition in SQL or a flat object") from error


def _check_labels(name: str, value: Any) -> None:
    is_list = isinstance(value, list) and 1 <= len(value) <= MAX_LABELS
    if not is_list or not all(isinstance(label, str) and label.strip() for label in value):
        raise ValueError(f"`{name}` must be a list of 1 to {MAX_LABELS} texts that are not empty, got {shown(value)}")
    _check_text("".join(value), f"`{name}`")


def _check_template(name: str, value: Any) -> None:
    _check_name(name, value)
    # Other fields of `str.format` read attributes of objects, or pad to any length.
    if value.count("{}") != 1 or value.count("{") != 1 or value.count("}") != 1:
        raise ValueError(f"`{name}` must have {{}} once, for the label, and no other braces, got {shown(value)}")


# Name -> its check.
PARAMETERS: dict[str, Callable[[str, Any], None]] = {
    "top_k": _check_count,
    "filter": _check_filter,
    "threshold": _check_number,
    "group_by": _check_name,
    "num_candidates": _check_count,
    "attribute": _check_name,
    "entity": _check_name,
    "late_interaction": _check_number,
    "change_by": _check_name,
    "candidate_labels": _check_labels,
    "hypothesis_template": _check_template,
}
