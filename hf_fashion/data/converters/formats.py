"""List the formats that `hf-fashion convert` reads, each with its reader."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ...messages import did_you_mean
from . import fashion_iq, fashionpedia, polyvore
from .attribute_labels import CORPORA, convert_attribute_labels
from .corpus_rows import Splits
from .deepfashion_inshop import read_deepfashion_inshop
from .fashiongen import convert_fashiongen_folder
from .hm import read_hm
from .shops import google_merchant, shopify
from .webdataset import number_features, read_webdataset


@dataclass(frozen=True)
class Format:
    """A format of files that people have.

    Args:
        read (`Callable`): reads the rows of each split: `read(source, images)`.
        row_id (`str`): column whose values are all different in a split.
        features (`dict[str, Feature]`, *optional*): columns that are not text, with their features.
        find_features (`Callable`, *optional*): finds more of them by the rows.
    """

    read: Callable[[Path, Path | None], Splits]
    row_id: str
    features: Mapping[str, Any] = field(default_factory=dict)
    find_features: Callable[[Splits], dict[str, Any]] = lambda splits: {}


# The column map shipped under the same name reads what a format is converted to.
FORMATS = {
    "deepfashion-inshop": Format(read_deepfashion_inshop, "file"),
    "fashion-iq": Format(fashion_iq.read_fashion_iq, "photo_id", fashion_iq.FEATURES),
    "fashionpedia": Format(fashionpedia.read_fashionpedia, "image_id", fashionpedia.FEATURES),
    "polyvore": Format(polyvore.read_polyvore, "item_id", polyvore.FEATURES),
    "hm": Format(read_hm, "article_id"),
    "shopify": Format(shopify.read_shopify, "id", shopify.FEATURES),
    "google-merchant": Format(google_merchant.read_google_merchant, "id", google_merchant.FEATURES),
    "webdataset": Format(read_webdataset, "sample", find_features=number_features),
}


# Older ones, which write their corpus themselves: `write(source, output, images)` returns the rows of each split.
WRITERS: dict[str, Callable[[Path, Path, Path | None], dict[str, int]]] = {
    **{name: partial(convert_attribute_labels, name) for name in CORPORA},
    "fashiongen": convert_fashiongen_folder,
}


def require_format(name: str) -> None:
    """Raise if there is no format of a name.

    Args:
        name (`str`): one of `FORMATS` or `WRITERS`.

    Raises:
        ValueError: naming the one that was probably meant.
    """
    known = (*FORMATS, *WRITERS)
    if name not in known:
        raise ValueError(f"no format {name!r}{did_you_mean(name, known)}; there are {', '.join(known)}")
