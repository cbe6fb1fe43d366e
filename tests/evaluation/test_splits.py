"""The checked split that is evaluated: held out as in training, without photos that cannot be read."""

import pytest

from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.evaluation.splits import load_splits
from tests.evaluation.saved_models import save_corpus
from tests.evaluation.single_split import save_single_split


MAP = ColumnMap.shipped("generated")


def test_splits_of_a_corpus_are_kept(tmp_path):
    save_corpus(tmp_path / "corpus", 8, 12)
    dataset, train, report = load_splits(str(tmp_path / "corpus"), MAP)
    assert (len(dataset), train, report.skipped.get("validation", [])) == (12, None, [])
    dataset, train, _ = load_splits(str(tmp_path / "corpus"), MAP, with_train=True)
    assert (len(dataset), len(train)) == (12, 8)
    with pytest.raises(ValueError, match="what learns on 'train' is not measured on it too: name another `split`"):
        load_splits(str(tmp_path / "corpus"), MAP, split="train", with_train=True)
    with pytest.raises(ValueError, match=r"no split 'test' in .*, there are train, validation"):
        load_splits(str(tmp_path / "corpus"), MAP, split="test")


def test_products_that_training_held_out_are_evaluated(tmp_path):
    path, expected = save_single_split(tmp_path)
    settings = {"validation_fraction": 0.5, "on_bad_image": "skip"}
    dataset, train, report = load_splits(str(path), MAP, with_train=True, **settings)
    assert set(dataset["product_id"]) == expected
    assert len(train) + len(dataset) == 38 and not expected & set(train["product_id"])
    assert len(report.skipped["validation"]) == 2


def test_a_feed_with_a_missing_photo_is_evaluated_on_request(tmp_path):
    rows = make_generated_corpus(train_rows=4, validation_rows=1, image_size=32)["train"]
    lines = ["image,caption"]
    for number, row in enumerate(rows):
        row["image"].save(tmp_path / f"{number}.png")
        lines.append(f'{number}.png,"{row["caption"]}"')
    (tmp_path / "validation.csv").write_text("\n".join([*lines, "gone.png,Hat"]) + "\n")
    column_map = ColumnMap(caption="caption")
    dataset, _, _ = load_splits(str(tmp_path / "validation.csv"), column_map, on_bad_image="skip")
    assert len(dataset) == 4
    with pytest.raises(ValueError, match=r"validation\.csv, line \d+ \(.*gone\.png\): there is no such file"):
        load_splits(str(tmp_path / "validation.csv"), column_map, on_bad_image="error")
