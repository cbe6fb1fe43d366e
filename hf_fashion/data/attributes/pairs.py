"""Index images by the value that they carry, and find the values that triplets can be anchored on."""

import logging

import numpy as np

from .labels import AttributeLabels, describe_values


logger = logging.getLogger(__name__)


class ImagesByValue:
    """
    Index of the images that carry each (attribute, value) pair; samplers draw triplets and batches from it.

    A pair can be an anchor's if at least two images carry it (anchor and positive), and another image that is labelled
    for the attribute does not (negative). All other pairs are logged; they are still drawn as negatives if an image
    carries them.

    Args:
        labels (`AttributeLabels`): labels of the training split.

    Raises:
        ValueError: if no attribute has a pair that can be an anchor's.
    """

    def __init__(self, labels: AttributeLabels):
        self.labels = labels
        self.carries = labels.carries.numpy()  # (N, P)
        pairs, self.rows = self.carries.T.nonzero()  # images of pair p: rows[starts[p] : starts[p] + counts[p]]
        self.counts = np.bincount(pairs, minlength=self.carries.shape[1])
        self.starts = self.counts.cumsum() - self.counts
        self.attribute_starts = np.array(labels.vocabulary.starts)
        bounds = list(zip(self.attribute_starts[:-1], self.attribute_starts[1:], strict=True))
        labelled = np.repeat(labels.labelled.sum(dim=0).numpy(), labels.vocabulary.num_values)
        anchors = (self.counts >= 2) & (self.counts < labelled)
        self.seen = [start + self.counts[start:end].nonzero()[0] for start, end in bounds]
        self.anchors = [start + anchors[start:end].nonzero()[0] for start, end in bounds]
        self.attributes = np.array([number for number, pairs in enumerate(self.anchors) if len(pairs)])
        if not len(self.attributes):
            raise ValueError(
                "no triplet can be formed: it needs two images with the same value and a third one with another value "
                "of the same attribute; label more images"
            )
        self._report(anchors)

    def rows_of(self, pair: int) -> np.ndarray:
        """Return the images that carry a pair, ascending: int64."""
        return self.rows[self.starts[pair] : self.starts[pair] + self.counts[pair]]

    def _report(self, anchors: np.ndarray) -> None:
        self.never_anchors: dict[str, dict[str, int]] = {}
        for pair in (~anchors).nonzero()[0].tolist():
            name, value = self.labels.vocabulary.value_of_pair(pair)
            self.never_anchors.setdefault(name, {})[value] = int(self.counts[pair])
        if self.never_anchors:
            number = sum(map(len, self.never_anchors.values()))
            logger.warning(
                "%d of %d values cannot be an anchor's, which needs two images with the value and one without "
                "(images in brackets): %s",
                number,
                len(anchors),
                describe_values(self.never_anchors),
            )
