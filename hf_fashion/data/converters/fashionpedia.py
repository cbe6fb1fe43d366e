"""Read Fashionpedia's annotations: boxes, categories and attributes of photos, as COCO JSON."""

from collections import defaultdict
from dataclasses import dataclass
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
# Part of a file -> what one of its entries is called, and what it needs.
PARTS: dict[str, tuple[str, dict[str, type]]] = {
    "images": ("image", {"id": int, "file_name": str}),
    "annotations": ("annotation", {"image_id": int, "category_id": int, "attribute_ids": list, "bbox": list}),
    "categories": ("category", {"id": int, "name": str}),
    "attributes": ("attribute", {"id": int, "name": str, "supercategory": str}),
}
MASK = "segmentation"  # most of a file, and in memory four times as large
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
        splits[split] = _rows(path, photos, images or folder_of(source))
    return splits


@dataclass(frozen=True)
class _Annotations:
    """The parts of one file; categories and attributes by their ids."""

    path: Path
    images: list[dict]
    annotations: list[dict]
    categories: dict[int, dict]
    attributes: dict[int, dict]

    @classmethod
    def read(cls, path: Path) -> "_Annotations":
        values = read_json(path, dropped=(MASK,))
        lacks = [name for name in PARTS if not isinstance(values, dict) or name not in values]
        if lacks:
            what = "it is not a file of Fashionpedia's instances with attributes"
            raise ValueError(f"{path}: no {', '.join(lacks)}: {what}")
        images, annotations, categories, attributes = (
            require_objects(path, values[name], unit, needed) for name, (unit, needed) in PARTS.items()
        )
        by_id = ({entry["id"]: entry for entry in entries} for entries in (categories, attributes))
        return cls(path, images, annotations, *by_id)

    def require_known(self) -> None:
        """Raise if an annotation refers to what the file does not have."""
        photos = {photo["id"] for photo in self.images}
        found = [(number, self._problem(one, photos)) for number, one in enumerate(self.annotations, 1)]
        problems = [f"annotation {number}: {problem}" for number, problem in found if problem]
        if problems:
            raise ValueError(listed(f"{self.path}: annotations that refer to what the file does not have", problems))

    def _problem(self, annotation: dict, photos: set[int]) -> str | None:
        box = annotation["bbox"]
        for one in annotation["attribute_ids"]:
            if not isinstance(one, int) or one not in self.attributes:
                return f"no attribute {shown(one)}"
        if annotation["image_id"] not in photos:
            return f"no image {annotation['image_id']}"
        if annotation["category_id"] not in self.categories:
            return f"no category {annotation['category_id']}"
        if len(box) != 4 or not all(isinstance(one, (int, float)) for one in box):
            return f"bbox {shown(box)} is not left, top, width, height"
        return None

    def describe(self, objects: list[dict]) -> Row:
        """Return the columns of a photo's annotations: its objects, and the distinct values of each kind."""
        kinds: dict[str, dict[str, None]] = {column: {} for column in KINDS.values()}
        for one in (self.attributes[number] for found in objects for number in found["attribute_ids"]):
            if one["supercategory"] in KINDS:
                kinds[KINDS[one["supercategory"]]][one["name"]] = None
        described = [self._object(found) for found in objects]
        names = dict.fromkeys(one["category"] for one in described)
        values = {column: list(found) for column, found in kinds.items()}
        return {"objects": described, "categories": list(names), **values}

    def _object(self, found: dict) -> dict[str, Any]:
        left, top, width, height = found["bbox"]
        return {
            "category": self.categories[found["category_id"]]["name"],
            "attributes": [self.attributes[number]["name"] for number in found["attribute_ids"]],
            "box": [left, top, left + width, top + height],
        }


def _rows(path: Path, photos: dict[str, str], folder: Path) -> list[Row]:
    file = _Annotations.read(path)
    file.require_known()
    objects: dict[int, list[dict]] = defaultdict(list)
    for annotation in file.annotations:
        objects[annotation["image_id"]].append(annotation)
    return [
        {
            "image": photos.get(photo["file_name"], str(folder / photo["file_name"])),
            "image_id": str(photo["id"]),
            "file": photo["file_name"],
            **file.describe(objects[photo["id"]]),
            SOURCE_ROW: f"{path.name}, image {number}",
        }
        for number, photo in enumerate(file.images, 1)
    ]
