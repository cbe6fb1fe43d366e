"""What the losses of attribute-specific models read: the items of a batch, their triplets, the cluster centres."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import torch

from .gather import first_joined_row, gather_with_gradient
from .triplet_indices import view_triplets


Centres = Mapping[str, tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class AttributeItems:
    """Hold the embeddings and labels of a batch's items: an item is an image seen for one attribute.

    Embeddings need not be normalised. [`AttributeOutput`]'s, of shape (B, K, d), are flattened to N = B * K rows.

    Args:
        global_embeds (`torch.Tensor` of shape `(N, d)`): global branch; in IPAD and RPF that is IP-SP.
        attribute_ids (`torch.Tensor` of shape `(N,)`): long; the attribute of each item.
        value_ids (`torch.Tensor` of shape `(N,)`): long; its value.
        local_embeds (`torch.Tensor` of shape `(N, d)`, *optional*): local branch; in IPAD and RPF that is IP-SE.
        background_embeds (`torch.Tensor` of shape `(N, d)`, *optional*): IP-SP of the background.
        view_embeds (`torch.Tensor` of shape `(M, d)`, *optional*): global branch on more views of some items.
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
        """Return the items of all processes, in the order of the ranks, with gradients.

        Every process must hold the same number of items. Triplets across processes follow from the gathered ids. The
        losses of gathered items equal those of one process with the whole batch.
        """
        items = self
        if self.view_items is not None:
            items = replace(self, view_items=self.view_items + first_joined_row(len(self.global_embeds)))
        tensors = {field.name: getattr(items, field.name) for field in fields(items)}
        return AttributeItems(**{name: t if t is None else gather_with_gradient(t) for name, t in tensors.items()})


@dataclass(frozen=True)
class AttributeBatch:
    """Hold everything that an attribute loss may read.

    Args:
        items (`AttributeItems`): the batch; of all processes if there are several.
        triplets (`torch.Tensor` of shape `(T, 3)`): long rows of anchor, positive and negative.
        centres (`Mapping`, *optional*): by branch (`"global_embeds"`, `"local_embeds"`): centres `(A, V, d)` and which
            of them exist, bool `(A, V)`.
    """

    items: AttributeItems
    triplets: torch.Tensor
    centres: Centres | None = None

    @property
    def labels(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The attribute ids and the value ids of the items."""
        return self.items.attribute_ids, self.items.value_ids

    def embeds(self, *branches: str) -> list[torch.Tensor]:
        """Return the embeddings of some branches.

        Args:
            *branches (`str`): fields of [`AttributeItems`].

        Raises:
            ValueError: if the model has no such branch.
        """
        for branch in branches:
            if getattr(self.items, branch) is None:
                raise ValueError(f"A loss needs `{branch}`, which the model lacks: remove that loss from `weights`.")
        return [getattr(self.items, branch) for branch in branches]

    def centres_of(self, branch: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the cluster centres of a branch, and which of them exist.

        Args:
            branch (`str`): a key of `centres`.

        Raises:
            ValueError: if the branch has no centres.
        """
        if branch not in (self.centres or {}):
            raise ValueError(
                f"`weights` names the centre loss of {branch}; `centres` has only {list(self.centres or {})}."
            )
        return self.centres[branch]

    def triplets_with_views(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the global embeddings of items and views, and the triplets of items with those of the views."""
        items = self.items
        if items.view_embeds is None:
            return items.global_embeds, self.triplets
        triplets = view_triplets(self.triplets, items.view_items, len(items.global_embeds))
        return torch.cat([items.global_embeds, items.view_embeds]), triplets
