"""Convert Fashion-Gen's HDF5 files to a folder of parquet for `load_corpus`, one file a split."""

import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Features, List, Value
from datasets import Image as ImageFeature
from PIL import Image
from tqdm.auto import tqdm

from ...files import folder_written_aside
from .parquet_files import write_parquet
from .source_files import find_files


TEXT_COLUMNS = {
    "name": "input_name",
    "description": "input_description",
    "brand": "input_brand",
    "category": "input_category",
    "subcategory": "input_subcategory",
    "composition": "input_composition",
    "season": "input_season",
    "gender": "input_gender",
    "department": "input_department",
}
READ_COLUMNS = ("input_image", "input_productID", "input_pose", *TEXT_COLUMNS.values())


def convert_fashiongen_folder(source: Path, output: Path, images: Path | None = None) -> dict[str, int]:
    """Convert the HDF5 files of a folder, whose names have `train`, `validation` or `test` in them: a row a product.

    Args:
        source (`Path`): the folder, such as that of `fashiongen_256_256_train.h5`; or one file.
        output (`Path`): folder to create.
        images (`Path`, *optional*): must be `None`: the photos are in the files.

    Returns:
        `dict[str, int]`: split -> number of rows.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: two files are of the same split, or `images` is given.
    """
    if images is not None:
        raise ValueError("`images` (--images) names a folder of photos; those of Fashion-Gen are in its HDF5 files")
    files: dict[str, Path] = {}
    for path in find_files(source, "*.h5"):
        split = next((name for name in ("train", "validation", "test") if name in path.name), "train")
        if split in files:
            raise ValueError(f"{files[split]} and {path} are both of the split {split!r}: name the one to read")
        files[split] = path
    with folder_written_aside(output) as aside:
        return convert_fashiongen(files, aside)


def convert_fashiongen(
    files: Mapping[str, str | Path], output: str | Path, one_row_per: str = "product"
) -> dict[str, int]:
    """
    Convert Fashion-Gen to `<output>/<split>.parquet`, which the shipped column map `fashiongen` reads.

    A few hundred photos are in memory at a time. Each file appears when it is complete.

    Args:
        files (`dict[str, str | Path]`): split -> path of its HDF5 file.
        output (`str` or `Path`): folder to write to; created if it does not exist.
        one_row_per (`str`, *optional*, defaults to `"product"`): `"product"` writes a row for each product with the
            list of its views, in the order of their poses; `"view"` writes a row for each photo.

    Returns:
        `dict[str, int]`: split -> number of rows.

    Raises:
        ImportError: if h5py is missing, saying how to install it.
        ValueError: if `one_row_per` is unknown, or naming the columns that a file lacks.
    """
    if one_row_per not in ("product", "view"):
        raise ValueError(f"`one_row_per` must be 'product' or 'view', got {one_row_per!r}")
    h5py = _import_h5py()
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for split, path in files.items():
        with h5py.File(path, "r") as file:
            missing = [name for name in READ_COLUMNS if name not in file]
            if missing:
                raise ValueError(f"{path}: no {', '.join(missing)}; the file holds: {', '.join(file)}")
            rows = product_rows(file) if one_row_per == "product" else view_rows(file)
            counts[split] = write_parquet(rows, _features(one_row_per), folder / f"{split}.parquet")
    return counts


def product_rows(file: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each product, in order of first appearance: its views as `image`, texts of its first view."""
    poses = [decode_text(pose) for pose in file["input_pose"][:]]
    views: dict[str, list[int]] = {}
    for row, product in enumerate(_product_ids(file)):
        views.setdefault(product, []).append(row)
    for product, rows in tqdm(views.items(), desc="products"):
        ordered = sorted(rows, key=lambda row: poses[row] or "")
        yield {
            "image": [_encode(file["input_image"][row]) for row in ordered],
            "pose": [poses[row] for row in ordered],
            "product_id": product,
            **_texts(file, ordered[0]),
        }


def view_rows(file: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each photo, in the order of the file."""
    for row, product in enumerate(tqdm(_product_ids(file), desc="views")):
        yield {
            "image": _encode(file["input_image"][row]),
            "pose": decode_text(file["input_pose"][row]),
            "product_id": product,
            **_texts(file, row),
        }


def decode_text(cell: Any) -> str | None:
    """Decode a cell to text: UTF-8, or Latin-1 if it is not UTF-8; `None` if it is empty.

    HTML line breaks become spaces.

    Args:
        cell (`Any`): text or bytes, also in an array of length one.
    """
    value = np.asarray(cell).reshape(-1)[0]
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    return " ".join(re.sub(r"<br\s*/?>", " ", str(value)).split()) or None


def _import_h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise ImportError("Fashion-Gen is HDF5, which needs h5py: pip install 'hf-fashion[fashiongen]'") from error
    return h5py


def _product_ids(file: Mapping[str, Any]) -> list[str]:
    return [str(value) for value in np.asarray(file["input_productID"][:]).reshape(-1).tolist()]


def _texts(file: Mapping[str, Any], row: int) -> dict[str, str | None]:
    return {name: decode_text(file[column][row]) for name, column in TEXT_COLUMNS.items()}


def _encode(pixels: np.ndarray) -> dict[str, Any]:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(buffer, format="JPEG", quality=95)
    return {"bytes": buffer.getvalue(), "path": None}


def _features(one_row_per: str) -> Features:
    image, pose = ImageFeature(), Value("string")
    if one_row_per == "product":
        image, pose = List(image), List(pose)
    return Features(
        {
            "image": image,
            "pose": pose,
            "product_id": Value("string"),
            **{name: Value("string") for name in TEXT_COLUMNS},
        }
    )
