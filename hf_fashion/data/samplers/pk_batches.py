"""P x K batch sampler: batches of P values with K images each, from which all triplets are formed."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from ..attributes.labels import AttributeLabels
from ..attributes.pairs import ImagesByValue


# In a multi-label corpus: how often the values of a group are drawn until enough images carry only one of them.
VALUE_DRAWS = 32


class LabelledRow(NamedTuple):
    """An image of a batch, with the attribute and the value that it was drawn for."""

    row: int
    attribute_id: int
    value_id: int


class PKBatchSampler(Sampler[list[LabelledRow]]):
    """
    P x K batch sampler: yields batches of `attributes_per_batch` groups, each of P values with K images.

    The values of a group belong to one attribute. Every batch has the same size, and over an epoch the attributes have
    equal numbers of groups, up to one. A group has one value that can be an anchor's and P - 1 others, drawn uniformly
    (see `ImagesByValue`). Its P * K places are divided among its values as evenly as their images allow: an attribute
    with fewer than P values gives each of them more places, and a value with fewer than K images leaves its free
    places to the others. Images repeat, evenly over the values, only when all images of the group's values are used.
    In a multi-label corpus a group takes images that carry exactly one of its values, so that values tell positives
    from negatives; if there are too few such images, it draws other values, and fewer of them.

    The draw depends only on seed and epoch: call `set_epoch` before each epoch. With several processes, each draws all
    batches and takes its share, which Accelerate's `BatchSamplerShard` does; that class does not pass `set_epoch` on.

    Args:
        labels (`AttributeLabels`): labels of the training split.
        num_batches (`int`): batches an epoch, for all processes together.
        values_per_group (`int`, *optional*, defaults to 8): P, at least 2.
        images_per_value (`int`, *optional*, defaults to 4): K, at least 2.
        attributes_per_batch (`int`, *optional*, defaults to 1): groups a batch, each of a different attribute.
        seed (`int`, *optional*, defaults to 0): not negative.

    Raises:
        ValueError: for a number outside its range, more groups than attributes, or if no triplet can be formed.
    """

    drop_last = True  # Accelerate reads it: all batches have the same size

    def __init__(
        self,
        labels: AttributeLabels,
        num_batches: int,
        values_per_group: int = 8,
        images_per_value: int = 4,
        attributes_per_batch: int = 1,
        seed: int = 0,
    ):
        self.images = ImagesByValue(labels)
        limits = {"num_batches": (num_batches, 1), "values_per_group": (values_per_group, 2)}
        limits |= {"images_per_value": (images_per_value, 2), "attributes_per_batch": (attributes_per_batch, 1)}
        limits |= {"seed": (seed, 0)}
        for name, (number, least) in limits.items():
            if number < least:
                raise ValueError(f"`{name}` must be at least {least}, got {number}")
        if attributes_per_batch > len(self.images.attributes):
            number = len(self.images.attributes)
            raise ValueError(
                f"`attributes_per_batch` is {attributes_per_batch}, and only {number} of the attributes can form "
                f"triplets: set it to {number} or less (in a recipe `sampling.attributes_per_batch`)"
            )
        self.num_batches, self.attributes_per_batch, self.seed = num_batches, attributes_per_batch, seed
        self.values_per_group, self.places = values_per_group, values_per_group * images_per_value
        self.epoch = 0

    @property
    def batch_size(self) -> int:
        """Number of images in a batch."""
        return self.attributes_per_batch * self.places

    @property
    def never_anchors(self) -> dict[str, dict[str, int]]:
        """Attribute -> value -> number of images, for the values that are never an anchor's."""
        return self.images.never_anchors

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch (counted from 0) that the next iteration draws."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.num_batches

    def __iter__(self) -> Iterator[list[LabelledRow]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        uses = np.zeros(len(self.images.attributes), dtype=np.int64)
        for _ in range(self.num_batches):
            order = rng.permutation(len(uses))
            chosen = order[uses[order].argsort(kind="stable")[: self.attributes_per_batch]]  # the least used
            uses[chosen] += 1
            yield [item for place in chosen for item in self._group(rng, int(self.images.attributes[place]))]

    def _group(self, rng: np.random.Generator, attribute: int) -> list[LabelledRow]:
        pools = self._pools(rng, attribute)
        first_pair = self.images.attribute_starts[attribute]
        group = []
        for (pair, rows), count in zip(pools, spread(self.places, [len(rows) for _, rows in pools]), strict=True):
            whole, rest = divmod(count, len(rows))
            drawn = np.concatenate([*[rows] * whole, rng.choice(rows, size=rest, replace=False)])
            group += [LabelledRow(row, attribute, int(pair - first_pair)) for row in drawn.tolist()]
        return group

    def _pools(self, rng: np.random.Generator, attribute: int) -> list[tuple[int, np.ndarray]]:
        """Return (pair, its images to draw from) for the values of a group: at least two, one with two images."""
        for attempt in range(VALUE_DRAWS):
            pairs = self._pairs(rng, attribute, max(2, self.values_per_group - attempt))
            pools = [(pair, self._apart(pair, pairs)) for pair in pairs]
            pools = [(pair, rows) for pair, rows in pools if len(rows)]
            if len(pools) >= 2 and max(len(rows) for _, rows in pools) >= 2:
                return pools
        name = self.images.labels.vocabulary.attribute_names[attribute]
        raise ValueError(
            f"attribute {name!r}: in {VALUE_DRAWS} draws no two values had images that carry only one of them; remove "
            "the attribute from the column map, or train on triplets"
        )

    def _pairs(self, rng: np.random.Generator, attribute: int, number: int) -> np.ndarray:
        anchor = rng.choice(self.images.anchors[attribute])
        others = self.images.seen[attribute]
        others = others[others != anchor]
        pairs = rng.choice(others, size=min(number - 1, len(others)), replace=False)
        return rng.permutation(np.append(pairs, anchor))

    def _apart(self, pair: int, pairs: np.ndarray) -> np.ndarray:
        rows = self.images.rows_of(pair)
        if not self.images.labels.is_multi_label:
            return rows
        return rows[self.images.carries[np.ix_(rows, pairs)].sum(axis=1) == 1]


def spread(places: int, images: list[int]) -> list[int]:
    """Divide places among values as evenly as possible, without repeating an image while another is unused.

    Args:
        places (`int`): places to fill.
        images (`list[int]`): number of images of each value, at least 1.

    Returns:
        `list[int]`: the places of each value, `places` in all; a value has more places than images only if all images
        are used.
    """
    images = np.array(images)
    taken = np.zeros_like(images)
    while left := places - taken.sum():
        room = (images - taken).clip(min=0)
        if not room.any():  # every image is used: repeat them
            room = np.full_like(images, left)
        open_values = room.nonzero()[0]
        share, rest = divmod(left, len(open_values))
        offered = share + (np.arange(len(open_values)) < rest)
        taken[open_values] += np.minimum(room[open_values], offered)
    return taken.tolist()
