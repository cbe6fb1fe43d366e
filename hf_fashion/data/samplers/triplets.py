"""Draw triplets for attribute-specific training as in ASEN++ and IPAD."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..attributes.labels import AttributeLabels
from ..attributes.pairs import ImagesByValue


# In a multi-label corpus: how often a negative that also carries the anchor's value is drawn again.
NEGATIVE_DRAWS = 32


@dataclass(frozen=True)
class Triplets:
    """
    Rows of T triplets, with their attributes and values; all int64 (T,).

    Args:
        anchors (`torch.Tensor`): rows of the anchors.
        positives (`torch.Tensor`): rows of other images with the anchor's value.
        negatives (`torch.Tensor`): rows of images labelled for the attribute that do not carry the anchor's value.
        attribute_ids (`torch.Tensor`): the attributes.
        value_ids (`torch.Tensor`): values of anchor and positive.
        negative_value_ids (`torch.Tensor`): values of the negatives.
    """

    anchors: Tensor
    positives: Tensor
    negatives: Tensor
    attribute_ids: Tensor
    value_ids: Tensor
    negative_value_ids: Tensor

    def __len__(self) -> int:
        return len(self.anchors)


class TripletSampler:
    """
    Triplet sampler: draws the triplets of an epoch (Wan et al. 2025, section 4.1.1; Dong et al. 2021, section IV-A).

    The attribute is drawn uniformly among those with an anchor's value, the anchor's value uniformly among those that
    can be one (see `ImagesByValue`), the negative's uniformly among the attribute's other values; then two distinct
    images of the first value and one of the second, uniformly. In a multi-label corpus a negative that carries the
    anchor's value too is drawn again with its value; after `NEGATIVE_DRAWS` draws it is any image without that value.

    Args:
        labels (`AttributeLabels`): labels of the training split.
        num_triplets (`int`, *optional*, defaults to 100000): triplets an epoch.
        seed (`int`, *optional*, defaults to 0): not negative. The draw depends only on seed and epoch, on every
            process.

    Raises:
        ValueError: if `num_triplets` is below 1, or no triplet can be formed.
    """

    def __init__(self, labels: AttributeLabels, num_triplets: int = 100_000, seed: int = 0):
        if num_triplets < 1:
            raise ValueError(f"`num_triplets` must be at least 1, got {num_triplets}")
        self.num_triplets, self.seed = num_triplets, seed
        self.images = ImagesByValue(labels)
        self._anchors, self._anchor_starts, self._num_anchors = _joined(self.images.anchors)
        self._seen, self._seen_starts, self._num_seen = _joined(self.images.seen)
        # The position of a pair among the seen pairs of its attribute.
        self._place = np.zeros(len(self.images.counts), dtype=np.int64)
        self._place[self._seen] = np.arange(len(self._seen)) - np.repeat(self._seen_starts, self._num_seen)

    @property
    def never_anchors(self) -> dict[str, dict[str, int]]:
        """Attribute -> value -> number of images, for the values that are never an anchor's."""
        return self.images.never_anchors

    def draw(self, epoch: int) -> Triplets:
        """Draw the triplets of an epoch (counted from 0), T = `num_triplets`."""
        rng = np.random.default_rng([self.seed, epoch])
        attributes = self.images.attributes[rng.integers(len(self.images.attributes), size=self.num_triplets)]
        pairs = self._anchors[self._anchor_starts[attributes] + rng.integers(self._num_anchors[attributes])]
        counts, starts = self.images.counts[pairs], self.images.starts[pairs]
        anchors = rng.integers(counts)
        positives = _another(rng, counts, anchors)
        negative_pairs, negatives = self._draw_negatives(rng, attributes, pairs)
        first_pairs = self.images.attribute_starts[attributes]
        columns = (
            self.images.rows[starts + anchors],
            self.images.rows[starts + positives],
            negatives,
            attributes,
            pairs - first_pairs,
            negative_pairs - first_pairs,
        )
        return Triplets(*map(torch.from_numpy, columns))

    def _draw_negatives(self, rng, attributes: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw pairs and rows of the negatives of anchors that carry `pairs`."""
        negative_pairs, negatives = np.empty_like(pairs), np.empty_like(pairs)
        pending = np.arange(len(pairs))
        for _ in range(NEGATIVE_DRAWS):
            of = attributes[pending]
            others = self._seen_starts[of] + _another(rng, self._num_seen[of], self._place[pairs[pending]])
            negative_pairs[pending] = drawn = self._seen[others]
            places = self.images.starts[drawn] + rng.integers(self.images.counts[drawn])
            negatives[pending] = self.images.rows[places]
            pending = pending[self.images.carries[negatives[pending], pairs[pending]]]
            if not len(pending):
                return negative_pairs, negatives
        for pair in np.unique(pairs[pending]):
            of = pending[pairs[pending] == pair]
            negative_pairs[of], negatives[of] = self._draw_without(rng, attributes[of[0]], pair, len(of))
        return negative_pairs, negatives

    def _draw_without(self, rng, attribute: int, pair: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        start, end = self.images.attribute_starts[attribute : attribute + 2]
        carried = self.images.carries[:, start:end]
        rows = rng.choice((carried.any(axis=1) & ~self.images.carries[:, pair]).nonzero()[0], size=count)
        return start + carried[rows].argmax(axis=1), rows


def _joined(lists: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Concatenate arrays; return also where each starts, and how long each is."""
    lengths = np.array([len(array) for array in lists])
    return np.concatenate(lists), lengths.cumsum() - lengths, lengths


def _another(rng: np.random.Generator, counts: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Draw, for each place below its count, another place below that count, uniformly: int64 (T,)."""
    drawn = rng.integers(counts - 1)
    return drawn + (drawn >= places)
