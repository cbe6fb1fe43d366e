"""The table of attribute losses, and their weighted sum over one batch: ASEN, ASEN++, RPF and IPAD.

To add a loss, write it as a function in a file of this folder, and add one line to `ATTRIBUTE_LOSSES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from .attribute_items import AttributeBatch, AttributeItems, Centres
from .branch_alignment import branch_alignment_loss
from .cluster_centre import cluster_centre_loss
from .e_info_nce import e_info_nce
from .triplet import indexed_triplet_loss


# Centre and alignment losses are sums over anchor, positive and negative: three times the mean over a batch's items.
ROLES = 3


@dataclass(frozen=True)
class AttributeLoss:
    """Describe a loss of attribute-specific models.

    Args:
        compute (`Callable`): [`AttributeBatch`] -> the loss, a scalar.
        weights (`Mapping[str, float]`, *optional*): its weight in each published model that is trained with it.
        branches (`tuple[str, ...]`, *optional*): the branches that it reads next to the global one, as fields of
            [`AttributeItems`].
        centres_of (`str`, *optional*): the branch whose cluster centres it reads.
    """

    compute: Callable[[AttributeBatch], torch.Tensor]
    weights: Mapping[str, float] = field(default_factory=dict)
    branches: tuple[str, ...] = ()
    centres_of: str | None = None


def _centre_loss(branch: str) -> AttributeLoss:
    """Return equation 19 for one branch."""

    def compute(batch: AttributeBatch) -> torch.Tensor:
        return ROLES * cluster_centre_loss(*batch.embeds(branch), *batch.labels, *batch.centres_of(branch))

    others = () if branch == "global_embeds" else (branch,)
    return AttributeLoss(compute, {"ipad": 1.0}, others, centres_of=branch)


# Name in a recipe -> loss, and its published weights. asen++: Dong et al. 2021. rpf, ipad: Wan et al. 2025, lambda_1,
# lambda_2, xi_1 and xi_2 of equations 18 and 20, section 4.1.3.
ATTRIBUTE_LOSSES: dict[str, AttributeLoss] = {
    # Equation 14 of the global branch, over the triplets of items and those with extra views.
    "global_triplet": AttributeLoss(
        lambda batch: indexed_triplet_loss(*batch.triplets_with_views()),
        {"asen": 1.0, "asen++": 1.0, "rpf": 1.0, "ipad": 1.0},
    ),
    # Equation 14 of the local branch.
    "local_triplet": AttributeLoss(
        lambda batch: indexed_triplet_loss(*batch.embeds("local_embeds"), batch.triplets),
        {"asen++": 0.1, "rpf": 0.1, "ipad": 0.1},
        ("local_embeds",),
    ),
    # The two branches of an item agree, in ASEN++: anchor, positive and negative added.
    "alignment": AttributeLoss(
        lambda batch: ROLES * branch_alignment_loss(*batch.embeds("global_embeds", "local_embeds")),
        {"asen++": 0.1},
        ("local_embeds",),
    ),
    # Equation 15.
    "e_info_nce": AttributeLoss(
        lambda batch: e_info_nce(*batch.embeds("global_embeds", "local_embeds", "background_embeds"), *batch.labels),
        {"rpf": 0.04, "ipad": 0.04},
        ("local_embeds", "background_embeds"),
    ),
    # Equation 19: equation 16 of anchor, positive and negative, added.
    "global_centre": _centre_loss("global_embeds"),
    "local_centre": _centre_loss("local_embeds"),
}


def published_weights(model: str) -> dict[str, float]:
    """Return the losses that a published model is trained with, and the weight of each.

    Args:
        model (`str`): `"asen"`, `"asen++"`, `"rpf"` (equation 18) or `"ipad"` (equation 20).
    """
    return {name: loss.weights[model] for name, loss in ATTRIBUTE_LOSSES.items() if model in loss.weights}


def attribute_losses(
    items: AttributeItems, triplets: torch.Tensor, weights: Mapping[str, float], centres: Centres | None = None
) -> dict[str, torch.Tensor]:
    """Return the losses that `weights` names, and their weighted sum.

    Args:
        items (`AttributeItems`): the batch; of all processes if there are several.
        triplets (`torch.Tensor` of shape `(T, 3)`): long rows of anchor, positive and negative, from `batch_triplets`
            or, for items that lie in threes, `arange(N).view(-1, 3)`.
        weights (`Mapping[str, float]`): names of `ATTRIBUTE_LOSSES` -> weight in the sum.
        centres (`Mapping`, *optional*): by branch (`"global_embeds"`, `"local_embeds"`): centres `(A, V, d)` and which
            of them exist, bool `(A, V)`.

    Returns:
        `dict[str, torch.Tensor]`: `"loss"`, the sum, then the losses by name, unweighted; scalars.

    Raises:
        ValueError: if a name is unknown, or the batch lacks what a loss needs.
    """
    if not weights or not weights.keys() <= ATTRIBUTE_LOSSES.keys():
        raise ValueError(f"`weights` must name some of {', '.join(ATTRIBUTE_LOSSES)}, got {list(weights)}.")
    batch = AttributeBatch(items, triplets, centres)
    losses = {name: ATTRIBUTE_LOSSES[name].compute(batch) for name in weights}
    return {"loss": sum(weights[name] * loss for name, loss in losses.items()), **losses}
