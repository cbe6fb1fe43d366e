import pytest
import torch

from hf_fashion.data.attributes.published_labels import read_filenames, read_pairs


def test_pairs_come_in_the_order_of_the_file(tmp_path):
    path = tmp_path / "label_train.txt"
    path.write_text("2 1 0\n0 0 3 1 1\n")
    pairs = read_pairs(path, 3, [4, 2], one_a_line=False)
    assert torch.equal(pairs, torch.tensor([[2, 1, 0], [0, 0, 3], [0, 1, 1]]))
    path.write_text("")
    assert read_pairs(path, 3, [4, 2], one_a_line=True).shape == (0, 3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 0", r"labels\.txt, line 2: expected 'index attribute value \[attribute value ...\]' in whole numbers"),
        ("1", "line 2: expected"),
        ("", "line 2: expected"),
        ("1 0 v", "line 2: expected .*got '1 0 v'"),
        ("3 0 1", "line 2: the index must lie in 0 to 2, got 3"),
        ("-1 0 1", "line 2: the index must lie in 0 to 2, got -1"),
        ("1 2 1", "line 2: the attribute must lie in 0 to 1, got 2"),
        ("1 1 2", "line 2: the value of attribute 1 must lie in 0 to 1, got 2"),
    ],
)
def test_errors_name_file_and_line(tmp_path, line, message):
    path = tmp_path / "labels.txt"
    path.write_text(f"0 0 1\n{line}\n")
    with pytest.raises(ValueError, match=message):
        read_pairs(path, 3, [4, 2], one_a_line=False)


def test_a_query_has_one_pair(tmp_path):
    path = tmp_path / "query_valid.txt"
    path.write_text("0 0 1 1 0\n")
    with pytest.raises(ValueError, match="line 1: expected 'index attribute value' in whole numbers"):
        read_pairs(path, 3, [4, 2], one_a_line=True)


def test_every_line_names_a_photo(tmp_path):
    path = tmp_path / "filenames_train.txt"
    path.write_text("a/1.jpg\nb 2.jpg\n")
    assert read_filenames(path) == ["a/1.jpg", "b 2.jpg"]
    path.write_text("a/1.jpg\n\nb.jpg\n")
    with pytest.raises(ValueError, match=r"filenames_train\.txt, line 2: empty"):
        read_filenames(path)
