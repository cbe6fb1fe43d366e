"""Embeddings of a run: saved in one file, and read again."""

import torch

from hf_fashion.training.combiner.embeddings import load_embeddings, save_embeddings


def test_they_are_kept_by_split_and_space(tmp_path):
    embeddings = {
        "train": {"image": torch.rand(3, 4), "heel height": torch.rand(3, 4)},
        "validation": {"image": torch.rand(2, 4), "heel height": torch.rand(4, 2).T},
    }
    save_embeddings(embeddings, tmp_path / "embeddings.safetensors")
    loaded = load_embeddings(tmp_path / "embeddings.safetensors")
    assert {split: set(spaces) for split, spaces in loaded.items()} == {
        split: set(spaces) for split, spaces in embeddings.items()
    }
    for split, spaces in embeddings.items():
        assert all(torch.equal(loaded[split][space], its) for space, its in spaces.items())
    assert [path.name for path in tmp_path.iterdir()] == ["embeddings.safetensors"]
