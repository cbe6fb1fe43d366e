"""Read the partition list of DeepFashion's In-shop benchmark."""

import re
from pathlib import Path

from ...messages import listed
from ..feeds.encoding import read_text
from ..sources.source_rows import SOURCE_ROW
from .corpus_rows import Row, Splits
from .source_files import find_file, folder_of


LIST = "list_eval_partition.txt"
HEADER = ["image_name", "item_id", "evaluation_status"]
SPLITS = ("train", "query", "gallery")
VIEW = re.compile(r"\d+_\d+_(\w+)")


def read_deepfashion_inshop(source: Path, images: Path | None = None) -> Splits:
    """Read DeepFashion In-shop: a row for each photo, with the splits train, query and gallery.

    Gender and category are those of the photo's folders, `img/WOMEN/Dresses/id_00000002/02_1_front.jpg`.

    Args:
        source (`Path`): `list_eval_partition.txt`, or a folder that holds it.
        images (`Path`, *optional*): the folder that holds `img`, or what is `img`, such as `img_highres`. Default: the
            source or its `Img`, or those of the folder that `Eval` is in.

    Raises:
        FileNotFoundError: there is no list.
        ValueError: naming the lines that are wrong, or a list that is cut off.
    """
    path = find_file(source, LIST)
    lines = read_text(path).splitlines()
    _require_header(path, lines)
    photos = _photo_folder(images, path.parent, folder_of(source))
    rows = [(number, line.split()) for number, line in enumerate(lines[2:], 3) if line.strip()]
    wrong = [f"line {number}: {' '.join(cells)!r}" for number, cells in rows if not _is_row(cells)]
    if wrong:
        raise ValueError(listed(f"{path}: these lines are no photo, item and {', '.join(SPLITS)}", wrong))
    if len(rows) != int(lines[0]):
        raise ValueError(
            f"{path}: line 1 says {int(lines[0]):,} photos, and {len(rows):,} are listed: load the file again"
        )
    found: Splits = {}
    for number, (name, item, split) in rows:
        found.setdefault(split, []).append(_row(photos, name, item) | {SOURCE_ROW: f"{path.name}, line {number}"})
    return {split: found[split] for split in SPLITS if split in found}


def _require_header(path: Path, lines: list[str]) -> None:
    if len(lines) < 2 or not lines[0].strip().isdigit() or lines[1].split() != HEADER:
        raise ValueError(
            f"{path}: lines 1 and 2 must be the number of photos and {' '.join(HEADER)!r}, they are {lines[:2]}. The "
            "lists of DeepFashion's other benchmarks have other columns"
        )


def _photo_folder(images: Path | None, list_folder: Path, source: Path) -> Path:
    """The folder that the names of the list are below, each without its `img/`."""
    if images is not None:
        return images / "img" if (images / "img").is_dir() or not _has_genders(images) else images
    tops = (source, list_folder.parent)
    places = [place / "img" for top in tops for place in (top, top / "Img")]
    return next((place for place in places if place.is_dir()), places[0])


def _has_genders(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in ("WOMEN", "MEN"))


def _is_row(cells: list[str]) -> bool:
    return len(cells) == len(HEADER) and cells[2] in SPLITS


def _row(folder: Path, name: str, item: str) -> Row:
    parts = name.split("/")
    gender, category = parts[1:3] if len(parts) == 5 else (None, None)
    view = VIEW.fullmatch(Path(name).stem)
    return {
        "image": str(folder / name.removeprefix("img/")),
        "file": name,
        "item_id": item,
        "gender": gender,
        "category": category,
        "view": view and view[1],
    }
