"""A trained combiner as a function of embeddings: loaded, and checked against the model that embeds."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ...messages import shown
from ..features import inference
from ..fingerprint import weights_of
from ..saved_models import load_companion


COMBINER_TYPE = "combiner"
_EXPECTED = "`combiner` must be a CombinerModel, its path or its Hub id"

logger = logging.getLogger(__name__)


class TrainedCombiner:
    """Combines the embeddings of photos and words by a CombinerModel, on its own device.

    Args:
        model (`CombinerModel`): the model. It is put into evaluation mode while it combines.

    Raises:
        ValueError: `model` is not a CombinerModel.
    """

    def __init__(self, model: PreTrainedModel):
        if model.config.model_type != COMBINER_TYPE:
            raise ValueError(f"{_EXPECTED}, got {type(model).__name__}")
        self.model = model
        self.spaces = tuple(model.config.spaces)

    def check_embedder(self, fingerprint: str) -> None:
        """Raise if the combiner was trained with another embedding model; warn if that cannot be known.

        Args:
            fingerprint (`str`): of the model whose embeddings are to be combined.

        Raises:
            ValueError: the combiner was trained with another model.
        """
        known = self.model.config.embedder_fingerprints
        if not known:
            logger.warning(
                "It is not checked that the combiner was trained with this model, whose embeddings it combines: it "
                "does not name its one. It is of no use for another."
            )
        elif weights_of(fingerprint) not in known:
            raise ValueError(
                f"the combiner was trained with {known[0]}, this is {weights_of(fingerprint)}: it has learned the "
                "embeddings of one model. Use one that was trained with this model (hf-fashion train combiner), or "
                "search by `change_by` 'arithmetic'"
            )

    def check_spaces(self, spaces: Sequence[str]) -> None:
        """Raise if products lack vectors in a space that the combiner searches.

        Args:
            spaces (`Sequence[str]`): spaces in which products have vectors.

        Raises:
            ValueError: a space is missing.
        """
        missing = [space for space in self.spaces if space not in spaces]
        if missing:
            raise ValueError(
                f"the combiner searches the regions {', '.join(missing)}, which the gallery does not keep: embed the "
                "catalogue with `regions=True` (hf-fashion embed --regions), or train a combiner with "
                "`model.regions: false`"
            )

    def to(self, device: torch.device) -> None:
        """Move the model.

        Args:
            device (`torch.device`): device to combine on.
        """
        self.model.to(device)

    def __call__(self, photos: Tensor, words: Tensor, start: Tensor) -> Tensor:
        """Return what to search by: (B, S, d), on the CPU, vectors whose lengths are the weights of their spaces.

        Args:
            photos (`torch.Tensor` of shape `(B, S, d)`): embeddings of the photos in each of `spaces`, of length 1.
            words (`torch.Tensor` of shape `(B, d)`): of what to change, of length 1.
            start (`torch.Tensor` of shape `(B, S, d)`): the query to move, of lengths that add up to 1.
        """
        inputs = (given.to(self.model.device, self.model.dtype) for given in (photos, words, start))
        with inference(self.model):
            return self.model(*inputs, return_dict=True).query_embeds.float().cpu()


def load_combiner(combiner: Any, trust_remote_code: bool = False) -> TrainedCombiner:
    """Load a trained combiner.

    Args:
        combiner ([`TrainedCombiner`], `CombinerModel`, `str` or `Path`): the model, its path or its Hub id.
        trust_remote_code (`bool`, *optional*, defaults to `False`): whether code that comes with it may run.

    Raises:
        ValueError: `combiner` is none of these.
    """
    if isinstance(combiner, TrainedCombiner):
        return combiner
    if isinstance(combiner, PreTrainedModel):
        return TrainedCombiner(combiner)
    if not isinstance(combiner, (str, Path)):
        raise ValueError(f"{_EXPECTED}, got {shown(combiner)}")
    return load_companion(str(combiner), COMBINER_TYPE, TrainedCombiner, _EXPECTED, trust_remote_code)
