"""Load a corpus of any kind: Hub id, folder, parquet, product feed, the generated corpus."""

from pathlib import Path
from typing import Any

from datasets import DatasetDict, load_dataset, load_from_disk
from datasets.exceptions import DatasetNotFoundError

from ..hub_ids import is_hub_id
from ..messages import did_you_mean
from .feeds.product_feed import FEED_SUFFIXES, is_feed, load_product_feeds
from .sources.folder_listing import split_of
from .sources.folders import CONVERTED, load_folder, load_tables
from .sources.image_column import decode_images, refuse_urls, require_own_photos
from .sources.source_rows import with_source_rows


GENERATED = "generated"


def load_corpus(
    source: str | Path,
    *,
    image_column: str = "image",
    config_name: str | None = None,
    revision: str | None = None,
    require_files: bool = True,
    id_column: str | None = None,
    generated: dict[str, Any] | None = None,
) -> DatasetDict:
    """
    Load a corpus with its own splits and columns.

    Args:
        source (`str` or `Path`): what to load. An existing path is preferred to a Hub id of the same name.
            - `"generated"`: the procedural corpus;
            - a folder written by `save_to_disk`;
            - a parquet file, or a folder of them, whose names (`train.parquet`, `validation-00000-of-00002.parquet`)
              or folders (`train/0.parquet`) begin with the split;
            - a product feed (CSV, TSV, JSON lines, JSON), or a folder with one feed or with `train.csv` and
              `validation.csv`. Several files of one split (`train-1.csv`, `train-2.csv`) follow each other and must
              have the same columns;
            - a folder of photos, whose paths there are the column `file_name`. Its sub-folders are splits where all
              of them are called so (`train/dress/1.jpg`); else all photos are one split. A column `label` holds each
              photo's folder, if all are equally deep. A `metadata.csv` names photos in the column `file_name`;
            - anything else: the id of a dataset on the Hub, `owner/name`.
        image_column (`str`, *optional*, defaults to `"image"`): column of the photos, decoded where it holds paths or
            bytes.
        config_name (`str`, *optional*): configuration of a Hub dataset.
        revision (`str`, *optional*): revision of a Hub dataset.
        require_files (`bool`, *optional*, defaults to `True`): whether a feed's missing photo is an error here, or
            left to `check_corpus`.
        id_column (`str`, *optional*): column of ids. In a CSV feed its decimals stay text: 4711.10 is another id than
            4711.1.
        generated (`dict`, *optional*): arguments of `make_generated_corpus`, for the source `"generated"` only.

    Returns:
        `DatasetDict`. A single file becomes the split its name begins with, else `train`. Every row has a column
        `source_row` more than its source: the line of its feed, the path of its photo in a folder, or `train[13]`.
        Files of a folder that are not read are logged.

    Raises:
        FileNotFoundError: if the source does not exist, here or on the Hub, or photos of a feed are missing.
        ValueError: if the file is of another kind, the source does not take the options, feeds of one split have
            different columns, a folder holds nothing that can be read or leaves open how, or a photo of a local
            corpus is a URL. Only those of a dataset on the Hub are downloaded, by `datasets`, and it may name
            only its own.
    """
    if generated and source != GENERATED:
        raise ValueError(f"`generated` holds options of the source {GENERATED!r}; the source is {str(source)!r}")
    if source == GENERATED:
        from .generated.corpus import make_generated_corpus

        return with_source_rows(make_generated_corpus(**(generated or {})))
    path = Path(source).expanduser()
    if not path.exists():
        corpus = _decoded(_load_from_hub(str(source), config_name, revision), image_column)
        for split in corpus.values():
            require_own_photos(split, image_column, str(source))
        return with_source_rows(corpus)
    if config_name or revision:
        raise ValueError(f"`config_name` and `revision` are options of datasets on the Hub; {path} is a local corpus")
    corpus = (_load_folder if path.is_dir() else _load_file)(path, image_column, require_files, id_column)
    corpus = with_source_rows(_decoded(corpus, image_column))
    for split in corpus.values():
        refuse_urls(split, image_column)
    return corpus


def _decoded(corpus: DatasetDict, image_column: str) -> DatasetDict:
    return DatasetDict({name: decode_images(split, image_column) for name, split in corpus.items()})


def _load_from_hub(source: str, config_name: str | None, revision: str | None) -> DatasetDict:
    if _looks_like_path(source):
        near = did_you_mean(Path(source).name, [path.name for path in _siblings(source)])
        raise FileNotFoundError(
            f"no corpus at {source}{near} (relative to {Path.cwd()}). The id of a dataset on the Hub is owner/name"
        )
    try:
        return load_dataset(source, config_name, revision=revision)
    except (DatasetNotFoundError, ConnectionError) as error:
        raise FileNotFoundError(
            f"no corpus {source!r}: there is no such folder or file in {Path.cwd()}, and no dataset of this id was "
            f"reached on the Hub ({error})"
        ) from error


def _siblings(source: str) -> list[Path]:
    folder = Path(source).expanduser().parent
    return list(folder.iterdir()) if folder.is_dir() else []


def _load_folder(folder: Path, image_column: str, require_files: bool, id_column: str | None) -> DatasetDict:
    if (folder / "dataset_dict.json").is_file():
        return load_from_disk(folder)
    if (folder / "state.json").is_file():
        return DatasetDict(train=load_from_disk(folder))
    return load_folder(folder, image_column, require_files, id_column)


def _load_file(path: Path, image_column: str, require_files: bool, id_column: str | None) -> DatasetDict:
    split = split_of(path.name) or "train"
    if path.suffix.lower() == ".parquet":
        return load_tables({split: [path]}, image_column)
    if is_feed(path):
        return load_product_feeds({split: [path]}, image_column, require_files, id_column)
    raise ValueError(f"{path}: a corpus file is .parquet or a product feed ({', '.join(FEED_SUFFIXES)}); {CONVERTED}")


def _looks_like_path(source: str) -> bool:
    """Whether a source that does not exist cannot be the id of a dataset on the Hub, which is `owner/name`."""
    return (
        not is_hub_id(source, owner=True)
        or Path(source.partition("/")[0]).is_dir()
        or source.lower().endswith((".parquet", *FEED_SUFFIXES))
    )
