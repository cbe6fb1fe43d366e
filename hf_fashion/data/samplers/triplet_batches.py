"""Batches of triplets for a DataLoader: anchor, positive and negative of each, one after the other."""

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

from ..attributes.labels import AttributeLabels
from .pk_batches import LabelledRow
from .triplets import TripletSampler


class TripletBatchSampler(Sampler[list[LabelledRow]]):
    """
    Yields batches of `batch_size` triplets, each as 3 * `batch_size` rows: x, p, n, x, p, n, ...

    Args:
        labels (`AttributeLabels`): of the split that is trained on.
        num_triplets (`int`): triplets an epoch; those that fill no batch are left out.
        batch_size (`int`): triplets a batch.
        seed (`int`, *optional*, defaults to 0): seed and epoch alone decide the draw.

    Raises:
        ValueError: if an epoch does not fill one batch, or no triplet can be formed.
    """

    drop_last = True  # what Accelerate asks a batch sampler for: no batch is filled up

    def __init__(self, labels: AttributeLabels, num_triplets: int, batch_size: int, seed: int = 0):
        self.triplets = TripletSampler(labels, num_triplets, seed)
        if num_triplets < batch_size:
            raise ValueError(f"{num_triplets} triplets an epoch make no batch of {batch_size}")
        self.num_batches, self.triplets_a_batch = num_triplets // batch_size, batch_size
        self.epoch = 0

    @property
    def batch_size(self) -> int:
        """Rows a batch."""
        return 3 * self.triplets_a_batch

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch (counted from 0) the next iteration draws."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.num_batches

    def __iter__(self) -> Iterator[list[LabelledRow]]:
        drawn = self.triplets.draw(self.epoch)
        rows = torch.stack([drawn.anchors, drawn.positives, drawn.negatives], dim=1)  # (T, 3)
        attributes = drawn.attribute_ids.unsqueeze(1).expand_as(rows)
        values = torch.stack([drawn.value_ids, drawn.value_ids, drawn.negative_value_ids], dim=1)
        items = torch.stack([rows, attributes, values], dim=-1)  # (T, 3, 3)
        for start in range(0, self.num_batches * self.triplets_a_batch, self.triplets_a_batch):
            batch = items[start : start + self.triplets_a_batch].flatten(0, 1)
            yield [LabelledRow(*item) for item in batch.tolist()]
