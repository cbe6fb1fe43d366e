"""Attribute diverging (Wan et al. 2025, section 3.2): a momentum encoder feeds the cluster centres of each branch."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .cluster_centres import ClusterCentres
from .momentum import MomentumEncoder


class AttributeDiverging:
    """Keep a momentum encoder and, for each branch, the cluster centres of its features.

    Call `update` after each update of the model, and `push` with each batch; the loss reads `centres`. A checkpoint
    keeps its state, so that a killed run resumes exactly.

    Args:
        model (`torch.nn.Module`): the model, unwrapped; its output has the branches.
        num_values (`Sequence[int]`): number of values of each attribute, in the order of their ids.
        branches (`Mapping[str, int]`): length d of the features by field of the model's output, such as
            `{"global_embeds": 1024, "local_embeds": 1024}`. Other branches have no centres.
        momentum (`float`, *optional*, defaults to 0.995): mu of equation 10; see [`MomentumEncoder`].
        **settings (`Any`): of [`ClusterCentres`]: `capacity`, `min_filled`, `refresh_every`, `dtype`, `device`.

    Raises:
        ValueError: if a setting is out of its range.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        num_values: Sequence[int],
        branches: Mapping[str, int],
        momentum: float = 0.995,
        **settings: Any,
    ):
        self.encoder = MomentumEncoder(model, momentum)
        self.queues = {name: ClusterCentres(num_values, dim, **settings) for name, dim in branches.items()}

    @property
    def centres(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """By branch: the centres `(A, V, d)`, and which of them exist, bool `(A, V)`."""
        return {name: (queues.centres, queues.present) for name, queues in self.queues.items()}

    def update(self, model: torch.nn.Module) -> None:
        """Let the momentum encoder follow the model (equation 10).

        Args:
            model (`torch.nn.Module`): the model that was given at the start, as it is now.
        """
        self.encoder.update(model)

    def push(self, attribute_ids: torch.Tensor, value_ids: torch.Tensor, **inputs: Any) -> None:
        """Add the momentum encoder's features of a batch to the queues (every n_b pushes, equation 11 follows).

        Args:
            attribute_ids (`torch.Tensor` of shape `(B,)` or `(B, K)`): long; as the model takes them.
            value_ids (`torch.Tensor` of the shape of `attribute_ids`): long; -1 = unlabelled, skipped.
            **inputs (`Any`): the model's other inputs, such as images.

        Raises:
            ValueError: if an attribute or a value does not exist.
        """
        outputs = self.encoder(attribute_ids=attribute_ids, **inputs)
        for name, queues in self.queues.items():
            queues.push(outputs[name].flatten(0, -2), attribute_ids.flatten(), value_ids.flatten())

    def state_dict(self) -> dict[str, Any]:
        """Return the momentum encoder, queues and centres, for a training checkpoint."""
        state = {name: queues.state_dict() for name, queues in self.queues.items()}
        return {"encoder": self.encoder.state_dict(), "queues": state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Args:
            state (`dict[str, Any]`): from `state_dict`.

        Raises:
            ValueError: if it is of other branches or other sizes.
        """
        if state["queues"].keys() != self.queues.keys():
            raise ValueError(
                f"The state must hold the branches {sorted(self.queues)}, got {sorted(state['queues'])}: resume with "
                "the settings of the saved run."
            )
        self.encoder.load_state_dict(state["encoder"])
        for name, queues in self.queues.items():
            queues.load_state_dict(state["queues"][name])
