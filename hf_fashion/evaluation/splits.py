"""Load and check the split of a corpus that is evaluated."""

from datasets import Dataset, DatasetDict

from ..data.checks import check_corpus
from ..data.column_map import ColumnMap
from ..data.corpus_report import CorpusReport
from ..data.loading import load_corpus
from ..data.splits import train_and_validation


def load_splits(
    corpus: str,
    column_map: ColumnMap,
    split: str = "validation",
    train_split: str | None = None,
    validation_fraction: float = 0.1,
    on_bad_image: str = "error",
    with_train: bool = False,
) -> tuple[Dataset, Dataset | None, CorpusReport]:
    """Return the checked split to evaluate on, the train split where asked for, and the report of the check.

    Where a corpus has no validation split, the products that training holds out are taken.

    Args:
        corpus (`str`): `"generated"`, a path or a Hub id.
        column_map (`ColumnMap`): the columns that will be read.
        split (`str`, *optional*, defaults to `"validation"`): the split to evaluate on.
        train_split (`str`, *optional*): name of the train split. Default: `"train"`, or the only split.
        validation_fraction (`float`, *optional*, defaults to 0.1): share of the products that is held out.
        on_bad_image (`str`, *optional*, defaults to `"error"`): `"error"`, or `"skip"` to leave out unreadable photos.
        with_train (`bool`, *optional*, defaults to `False`): also return the train split.

    Raises:
        ValueError: there is no such split, it is the train split, which is asked for too, or the corpus cannot be used
            as it is.
    """
    splits = load_corpus(corpus, image_column=column_map.image, id_column=column_map.product_id, require_files=False)
    train = train_split or "train"
    if split == "validation" and "validation" not in splits:
        splits = train_and_validation(splits, column_map, train_split, validation_fraction=validation_fraction)
        train = "train"
    if with_train and split == train:
        raise ValueError(
            f"what learns on {train!r} is not measured on it too: name another `split` (--split), or another "
            "`train_split` (--train_split)"
        )
    wanted = [split, *([train] if with_train else [])]
    for name in wanted:
        if name not in splits:
            raise ValueError(f"no split {name!r} in {corpus}, there are {', '.join(splits)}")
    checked, report = check_corpus(
        DatasetDict({name: splits[name] for name in wanted}),
        column_map,
        on_bad_image,
        on_leak="warn",
        require_caption=False,
    )
    return checked[split], checked.get(train) if with_train else None, report
