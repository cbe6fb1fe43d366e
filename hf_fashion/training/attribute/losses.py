"""The losses of attribute-specific models over one batch, and their sums: ASEN, ASEN++, RPF and IPAD."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch
import torch.distributed as dist

from ...losses.branch_alignment import branch_alignment_loss
from ...losses.cluster_centre import cluster_centre_loss
from ...losses.e_info_nce import e_info_nce
from ...losses.gather import gather_with_gradient
from ...losses.triplet import indexed_triplet_loss
from ...losses.triplet_indices import view_triplets


Centres = Mapping[str, tuple[torch.Tensor, torch.Tensor]]

# Which losses a model trains with, and their weights. ASEN++: Dong et al. 2021. RPF and IPAD: Wan et
# al. 2025, lambda_1, lambda_2, xi_1 and xi_2 of equations 18 and 20, section 4.1.3.
ASEN_WEIGHTS = {"global_triplet": 1.0}
ASEN_PLUS_PLUS_WEIGHTS = {"global_triplet": 1.0, "local_triplet": 0.1, "alignment": 0.1}
RPF_WEIGHTS = {"global_triplet": 1.0, "local_triplet": 0.1, "e_info_nce": 0.04}
IPAD_WEIGHTS = RPF_WEIGHTS | {"global_centre": 1.0, "local_centre": 1.0}

# Centre and alignment losses are sums over anchor, positive and negative; with a mean over all items of a batch that
# is three times the mean.
ROLES = 3


@dataclass(frozen=True)
class AttributeItems:
    """What a model says about the items of a batch: an image looked at for one attribute is an item.

    Embeddings need not be normalised. [`AttributeOutput`]'s, of shape (B, K, d), are flattened to N = B * K rows.

    Args:
        global_embeds (`torch.Tensor` of shape `(N, d)`): global branch; of IPAD and RPF IP-SP.
        attribute_ids (`torch.Tensor` of shape `(N,)`): long; the attribute of each item.
        value_ids (`torch.Tensor` of shape `(N,)`): long; its value.
        local_embeds (`torch.Tensor` of shape `(N, d)`, *optional*): local branch; of IPAD and RPF IP-SE.
        background_embeds (`torch.Tensor` of shape `(N, d)`, *optional*): IP-SP of the background.
        view_embeds (`torch.Tensor` of shape `(M, d)`, *optional*): global branch on further views of some items.
        view_items (`torch.Tensor` of shape `(M,)`, *optional*): long; the item that each of these views shows.
    """

    global_embeds: torch.Tensor
    attribute_ids: torch.Tensor
    value_ids: torch.Tensor
    local_embeds: torch.Tensor | None = None
    background_embeds: torch.Tensor | None = None
    view_embeds: torch.Tensor | None = None
    view_items: torch.Tensor | None = None

    def gathered(self) -> "AttributeItems":
        """The items of all processes, in the order of the ranks, with gradients; each must hold as many.

        Triplets of items from several processes follow from the gathered ids. Losses of gathered items are those of
        one process with the whole batch.
        """
        items = self
        if self.view_items is not None and dist.is_initialized():
            items = replace(self, view_items=self.view_items + dist.get_rank() * len(self.global_embeds))
        tensors = {field.name: getattr(items, field.name) for field in fields(items)}
        return AttributeItems(**{name: t if t is None else gather_with_gradient(t) for name, t in tensors.items()})

    def required(self, *names: str) -> list[torch.Tensor]:
        """The tensors of these names.

        Raises:
            ValueError: if one is not given.
        """
        for name in names:
            if getattr(self, name) is None:
                raise ValueError(
                    f"A loss needs `{name}`, which the model does not give: leave that loss out of `weights`."
                )
        return [getattr(self, name) for name in names]


def attribute_losses(
    items: AttributeItems,
    triplets: torch.Tensor,
    weights: Mapping[str, float],
    centres: Centres | None = None,
    margin: float = 0.2,
    temperature: float = 0.07,
    epsilon: float = 12.0,
) -> dict[str, torch.Tensor]:
    """The losses that `weights` names, and their weighted sum.

    | name | loss |
    | --- | --- |
    | `global_triplet` | equation 14 of the global branch, over the triplets and those with further views |
    | `local_triplet` | equation 14 of the local branch |
    | `alignment` | ASEN++: [`branch_alignment_loss`] of anchor, positive and negative, added |
    | `e_info_nce` | equation 15 |
    | `global_centre`, `local_centre` | equation 19: equation 16 of anchor, positive and negative, added |

    With `ASEN_PLUS_PLUS_WEIGHTS` the sum is ASEN++'s total, with `RPF_WEIGHTS` equation 18 (RPF's total, and IPAD's
    until centres are there), with `IPAD_WEIGHTS` equation 20.

    Args:
        items (`AttributeItems`): the batch; of all processes where there are several.
        triplets (`torch.Tensor` of shape `(T, 3)`): long rows of anchor, positive and negative; as
            `batch_triplets` gives, or `arange(N).view(-1, 3)` for items that lie in threes.
        weights (`Mapping[str, float]`): losses to compute, and what each counts in the sum.
        centres (`Mapping`, *optional*): by branch (`"global_embeds"`, `"local_embeds"`): centres `(A, V, d)` and which
            of them are there, bool `(A, V)`.
        margin (`float`): m of triplet and centre losses.
        temperature (`float`): tau of E-InfoNCE.
        epsilon (`float`): how often E-InfoNCE counts a background.

    Returns:
        `dict[str, torch.Tensor]`: `"loss"`, the sum, then the losses by name, unweighted; scalars.

    Raises:
        ValueError: if a name is unknown, or what its loss needs is not given.
    """
    labels = (items.attribute_ids, items.value_ids)

    def centre_loss(branch: str) -> torch.Tensor:
        if branch not in (centres or {}):
            raise ValueError(f"`weights` asks for the centre loss of {branch}; `centres` has {list(centres or {})}.")
        return ROLES * cluster_centre_loss(*items.required(branch), *labels, *centres[branch], margin)

    compute = {
        "global_triplet": lambda: _triplet_loss_with_views(items, triplets, margin),
        "local_triplet": lambda: indexed_triplet_loss(*items.required("local_embeds"), triplets, margin),
        "alignment": lambda: ROLES * branch_alignment_loss(*items.required("global_embeds", "local_embeds")),
        "e_info_nce": lambda: e_info_nce(
            *items.required("global_embeds", "local_embeds", "background_embeds"), *labels, temperature, epsilon
        ),
        "global_centre": lambda: centre_loss("global_embeds"),
        "local_centre": lambda: centre_loss("local_embeds"),
    }
    if not weights or not weights.keys() <= compute.keys():
        raise ValueError(f"`weights` must name some of {', '.join(compute)}, got {list(weights)}.")
    losses = {name: compute[name]() for name in weights}
    return {"loss": sum(weights[name] * loss for name, loss in losses.items()), **losses}


def _triplet_loss_with_views(items: AttributeItems, triplets: torch.Tensor, margin: float) -> torch.Tensor:
    if items.view_embeds is None:
        return indexed_triplet_loss(items.global_embeds, triplets, margin)
    triplets = view_triplets(triplets, items.view_items, len(items.global_embeds))
    return indexed_triplet_loss(torch.cat([items.global_embeds, items.view_embeds]), triplets, margin)
