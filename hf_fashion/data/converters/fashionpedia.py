"""Read Fashionpedia's annotations: boxes, categories and attributes of photos, as COCO JSON."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasets import List, Value

from ...messages import listed, shown
from ..sources.source_rows import SOURCE_ROW
from .corpus_rows import Row, Splits
from .source_files import find_files, folder_of, photos_by_name, read_json, require_objects


TEXTS = List(Value("string"))
OBJECTS = List({"category": Value("string"), "attributes": TEXTS, "box": List(Value("float32"))})
# Kinds of attributes, and the columns of their values. Attributes of other kinds are in `objects` only.
KINDS = {
    "silhouette": "silhouette",
    "length": "length",
    "nickname": "nickname",
    "waistline": "waistline",
    "neckline type": "neckline",
    "opening type": "opening",
    "textile pattern": "pattern",
    "animal": "animal_pattern",
    "textile finishing, manufacturing techniques": "finishing",
    "non-textile material type": "material",
    "leather": "leather",
}
FEATURES = {"objects": OBJECTS} | dict.fromkeys(("categories", *KINDS.values()), TEXTS)
SPLITS = {"train": "train", "val": "validation", "test": "test"}


def read_fashionpedia(source: Path, images: Path | None = None) -> Splits:
    """Read Fashionpedia: a row for each photo, with its objects (box, category, attributes) and attributes by kind.

    `objects` holds boxes as left, top, right and bottom in pixels. Masks are not read.

    Args:
        source (`Path`): `instances_attributes_train2020.json`, or a folder with it,
            `instances_attributes_val2020.json` or both.
        images (`Path`, *optional*): folder of photos, or of folders of them. Default: the source.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: naming file and entry: it is not JSON, lacks what is needed, or refers to what is not there.
    """
    paths = find_files(source, "instances_attributes_*.json")
    photos = photos_by_name(images or folder_of(source))
    splits: Splits = {}
    for path in paths:
        split = next((own for name, own in SPLITS.items() if name in path.name), "train")
        if split in splits:
            raise ValueError(f"{path} is a second file of the split {split!r}: name the file to read")
        splits[split] = _read(path, photos, images or folder_of(source))
    return splits


def _read(path: Path, photos: dict[str, str], folder: Path) -> list[Row]:
    values = read_json(path)
    parts = ("images", "annotations", "categories", "attributes")
    lacks = [name for name in parts if not isinstance(values, dict) or name not in values]
    if lacks:
        raise ValueError(
            f"{path}: no {', '.join(lacks)}: it is not a file of Fashionpedia's instances with attributes"
        )
    listed_photos = require_objects(path, values["images"], "image", {"id": int, "file_name": str})
    categories = _by_id(require_objects(path, values["categories"], "category", {"id": int, "name": str}))
    attributes = _by_id(
        require_objects(path, values["attributes"], "attribute", {"id": int, "name": str, "supercategory": str})
    )
    needed = {"image_id": int, "category_id": int, "attribute_ids": list, "bbox": list}
    annotations = require_objects(path, values["annotations"], "annotation", needed)
    _require_known(path, annotations, {photo["id"] for photo in listed_photos}, categories, attributes)
    objects: dict[int, list[dict]] = defaultdict(list)
    for annotation in annotations:
        objects[annotation["image_id"]].append(annotation)
    return [
        {
            "image": photos.get(photo["file_name"], str(folder / photo["file_name"])),
            "image_id": str(photo["id"]),
            "file": photo["file_name"],
            **_described(objects[photo["id"]], categories, attributes),
            SOURCE_ROW: f"{path.name}, image {number}",
        }
        for number, photo in enumerate(listed_photos, 1)
    ]


def _by_id(entries: Iterable[dict]) -> dict[int, dict]:
    return {entry["id"]: entry for entry in entries}


def _require_known(
    path: Path, annotations: list[dict], photos: set[int], categories: dict[int, dict], attributes: dict[int, dict]
) -> None:
    problems = []
    for number, annotation in enumerate(annotations, 1):
        unknown = [one for one in annotation["attribute_ids"] if not isinstance(one, int) or one not in attributes]
        if annotation["image_id"] not in photos:
            problems.append(f"annotation {number}: no image {annotation['image_id']}")
        elif annotation["category_id"] not in categories:
            problems.append(f"annotation {number}: no category {annotation['category_id']}")
        elif unknown:
            problems.append(f"annotation {number}: no attribute {unknown[0]}")
        elif len(annotation["bbox"]) != 4 or not all(isinstance(one, (int, float)) for one in annotation["bbox"]):
            problems.append(f"annotation {number}: bbox {shown(annotation['bbox'])} is not left, top, width, height")
    if problems:
        raise ValueError(listed(f"{path}: annotations that refer to what the file does not have", problems))


def _described(objects: list[dict], categories: dict[int, dict], attributes: dict[int, dict]) -> dict[str, Any]:
    """The columns of one photo: its objects, and the distinct values of each kind."""
    kinds: dict[str, dict[str, None]] = {column: {} for column in KINDS.values()}
    for one in (attributes[number] for found in objects for number in found["attribute_ids"]):
        if one["supercategory"] in KINDS:
            kinds[KINDS[one["supercategory"]]][one["name"]] = None
    names = [categories[found["category_id"]]["name"] for found in objects]
    described = [
        {"category": name, "attributes": [attributes[n]["name"] for n in found["attribute_ids"]], "box": _box(found)}
        for name, found in zip(names, objects, strict=True)
    ]
    values = {column: list(found) for column, found in kinds.items()}
    return {"objects": described, "categories": list(dict.fromkeys(names)), **values}


def _box(found: dict) -> list[float]:
    left, top, width, height = found["bbox"]
    return [left, top, left + width, top + height]
