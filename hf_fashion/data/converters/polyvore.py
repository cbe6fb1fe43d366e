"""Read Polyvore's outfits and items: those of Polyvore Outfits, and the older ones from Maryland."""

from pathlib import Path

from datasets import List, Value

from ...messages import listed, shown
from ..feeds.encoding import read_text
from ..sources.source_rows import SOURCE_ROW
from .corpus_rows import Row, Splits
from .source_files import read_json, require_objects


METADATA = "polyvore_item_metadata.json"
SPLITS = {"train": "train", "valid": "validation", "test": "test"}
OLDER = "{}_no_dup.json"
CATEGORIES = "category_id.txt"  # of the older one: `2 Clothing`
FEATURES = {"outfits": List(Value("string"))}


def read_polyvore(source: Path, images: Path | None = None) -> Splits:
    """Read Polyvore: a row for each item of a split, with its title, category and the ids of its outfits.

    Args:
        source (`Path`): `disjoint` or `nondisjoint` of Polyvore Outfits, next to `polyvore_item_metadata.json`; or the
            folder with `train_no_dup.json` of the older Polyvore.
        images (`Path`, *optional*): folder of photos. Default: `images` next to the metadata, or in the older folder.

    Raises:
        FileNotFoundError: the folder holds neither.
        ValueError: naming file and entry: it is not JSON, or lacks what is needed.
    """
    found = _files(source, "{}.json")
    if found:
        metadata = _metadata(source)
        items = read_json(metadata)
        if not isinstance(items, dict):
            raise ValueError(f"{metadata}: expected an object of items by their ids, it holds {shown(items)}")
        folder = images or metadata.parent / "images"
        return {split: _rows(path, items, metadata, folder) for split, path in found.items()}
    older = _files(source, OLDER)
    if not older:
        raise FileNotFoundError(
            f"{source} holds neither train.json (Polyvore Outfits: name its folder disjoint or nondisjoint) nor "
            f"{OLDER.format('train')}"
        )
    folder, names = images or source / "images", _category_names(source)
    return {split: _older_rows(path, folder, names) for split, path in older.items()}


def _files(source: Path, name: str) -> dict[str, Path]:
    paths = {split: source / name.format(published) for published, split in SPLITS.items()}
    return {split: path for split, path in paths.items() if path.is_file()}


def _metadata(source: Path) -> Path:
    places = [source / METADATA, source.absolute().parent / METADATA]
    for path in places:
        if path.is_file():
            return path
    raise FileNotFoundError(f"there is no {METADATA} in {source} or the folder that it is in: put it there")


def _outfits(path: Path, item: dict) -> list[tuple[int, str, list[dict]]]:
    """The number of each outfit in its file, its id and its items."""
    outfits = require_objects(path, read_json(path), "outfit", {"set_id": (str, int), "items": list})
    return [
        (number, str(outfit["set_id"]), require_objects(path, outfit["items"], f"outfit {number}, item", item))
        for number, outfit in enumerate(outfits, 1)
    ]


def _rows(path: Path, items: dict, metadata: Path, folder: Path) -> list[Row]:
    rows: dict[str, Row] = {}
    unknown: list[str] = []
    for number, outfit, parts in _outfits(path, {"item_id": (str, int)}):
        for item_id in (str(part["item_id"]) for part in parts):
            if not isinstance(items.get(item_id), dict):
                unknown.append(f"{path.name}, outfit {number}: {item_id}")
            elif item_id not in rows:
                place = {SOURCE_ROW: f"{path.name}, outfit {number}, item {item_id}"}
                rows[item_id] = _row(item_id, items[item_id], folder) | {"outfits": [outfit]} | place
            elif outfit not in rows[item_id]["outfits"]:
                rows[item_id]["outfits"].append(outfit)
    if unknown:
        raise ValueError(listed(f"{metadata} does not have these items of {path}", unknown))
    return list(rows.values())


def _row(item_id: str, item: dict, folder: Path) -> Row:
    texts = {name: str(item.get(name) or "").strip() or None for name in ("title", "url_name", "description")}
    return {
        "image": str(folder / f"{item_id}.jpg"),
        "item_id": item_id,
        "title": texts["title"] or texts["url_name"] or texts["description"],
        "description": texts["description"],
        "category": item.get("semantic_category") or None,
        "category_id": None if item.get("category_id") is None else str(item["category_id"]),
    }


def _category_names(source: Path) -> dict[str, str]:
    path = source / CATEGORIES
    lines = read_text(path).splitlines() if path.is_file() else []
    return dict(line.strip().split(maxsplit=1) for line in lines if len(line.split()) > 1)


def _older_rows(path: Path, folder: Path, names: dict[str, str]) -> list[Row]:
    needed = {"index": int, "name": str, "categoryid": int}
    return [
        {
            "image": str(folder / outfit / f"{item['index']}.jpg"),
            "item_id": f"{outfit}_{item['index']}",
            "title": item["name"].strip() or None,
            "description": None,
            "category": names.get(str(item["categoryid"])),
            "category_id": str(item["categoryid"]),
            "outfits": [outfit],
            SOURCE_ROW: f"{path.name}, outfit {number}, item {item['index']}",
        }
        for number, outfit, items in _outfits(path, needed)
        for item in items
    ]
