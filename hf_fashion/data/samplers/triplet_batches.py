"""Triplet batch sampler for a DataLoader: anchor, positive and negative of each triplet, one after the other."""

from collections.abc import Iterator

import torch
from torch.utils.data import Sampler

from ..attributes.labels import AttributeLabels
from .pk_batches import LabelledRow
from .triplets import TripletSampler


class TripletBatchSampler(Sampler[list[LabelledRow]]):
    """
    Triplet batch sampler: yields batches of `batch_size` triplets as 3 * `batch_size` rows.

    The rows are anchor, positive, negative, anchor, positive, negative, ...

    Args:
        labels (`AttributeLabels`): labels of the training split.
        num_triplets (`int`): triplets an epoch; an incomplete last batch is dropped.
        batch_size (`int`): triplets a batch.
        seed (`int`, *optional*, defaults to 0): the draw depends only on seed and epoch.

    Raises:
        ValueError: if an epoch does not fill one batch, or no triplet can be formed.
    """

    drop_last = True  # Accelerate reads it: all batches have the same size

    def __init__(self, labels: AttributeLabels, num_triplets: int, batch_size: int, seed: int = 0):
        self.triplets = TripletSampler(labels, num_triplets, seed)
        if num_triplets < batch_size:
            raise ValueError(
                f"{num_triplets} triplets an epoch make no batch of {batch_size}: draw more, or smaller batches"
            )
        self.num_batches, self.triplets_a_batch = num_triplets // batch_size, batch_size
        self.epoch = 0

    @property
    def batch_size(self) -> int:
        """Number of rows in a batch."""
        return 3 * self.triplets_a_batch

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch (counted from 0) that the next iteration draws."""
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
