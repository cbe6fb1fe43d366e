"""Queues of features per attribute value, and their centres (Wan et al. 2025, section 3.2, equation 11)."""

from collections.abc import Sequence
from typing import Any

import torch

from ...losses.gather import gather_with_gradient


# Sums of up to 8,000 float16 numbers are exact in float64, so they do not drift or depend on the order of additions.
# Devices of Apple have no float64.
SUMS = {"mps": torch.float32}


class ClusterCentres:
    """Queue the last `capacity` features of every (attribute, value), and average them.

    All processes must push the same number of items; each then holds the features of all, so the centres are equal
    everywhere. Each value has its own queue, which does not depend on how often other values come.

    Memory: `total number of values * capacity * dim * 2` bytes in float16. The 1,000 values of DeepFashion, with
    queues of 1,000 features of 1,024 numbers, take 2.05 GB a branch, so 4.1 GB for both branches of IPAD, on each
    process and, once the queues are full, in each training checkpoint; FashionAI's 54 values take 0.22 GB for both.

    Args:
        num_values (`Sequence[int]`): number of values of each attribute, in the order of their ids.
        dim (`int`): d, length of a feature.
        capacity (`int`, *optional*, defaults to 1000): n_q, features in a queue; a new one replaces the oldest.
        min_filled (`int`, *optional*, defaults to 100): features that a queue needs before its value has a centre; at
            most `capacity`.
        refresh_every (`int`, *optional*, defaults to 50): n_b, pushes between two refreshes of the centres.
        dtype (`torch.dtype`, *optional*, defaults to `torch.float16`): of the features in the queues.
        device (`torch.device` or `str`, *optional*, defaults to `"cpu"`): of queues and centres.

    Raises:
        ValueError: if there is no attribute or one has no value, or a number is out of its range.
    """

    def __init__(
        self,
        num_values: Sequence[int],
        dim: int,
        capacity: int = 1000,
        min_filled: int = 100,
        refresh_every: int = 50,
        dtype: torch.dtype = torch.float16,
        device: torch.device | str = "cpu",
    ):
        if not num_values or min(num_values) < 1:
            raise ValueError(f"`num_values` must name at least one value for each attribute, got {list(num_values)}.")
        if not 1 <= min_filled <= capacity:
            raise ValueError(f"`min_filled` must be in [1, capacity = {capacity}], got {min_filled}.")
        if refresh_every < 1:
            raise ValueError(f"`refresh_every` must be at least 1, got {refresh_every}.")
        self.capacity, self.min_filled, self.refresh_every = capacity, min_filled, refresh_every
        sizes = torch.tensor(num_values, device=device)
        # One queue for each value that exists, not for each cell of the padded (A, V) table.
        self._exists = torch.arange(int(sizes.max()), device=device) < sizes[:, None]  # (A, V)
        self._offsets = sizes.cumsum(0) - sizes
        total = sum(num_values)
        self._queues = torch.zeros(total, capacity, dim, dtype=dtype, device=device)
        self._taken = torch.zeros(total, dtype=torch.long, device=device)  # features that each queue has taken so far
        self._sums = torch.zeros(total, dim, dtype=SUMS.get(sizes.device.type, torch.float64), device=device)
        self._pushes = 0
        self.centres = torch.zeros(
            *self._exists.shape, dim, dtype=torch.promote_types(dtype, torch.float32), device=device
        )
        self.present = torch.zeros_like(self._exists)

    @property
    def filled(self) -> torch.Tensor:
        """Features in each queue: long `(A, V)`, 0 for a value that does not exist."""
        return self._table(self._taken.clamp(max=self.capacity))

    @torch.no_grad()
    def push(self, features: torch.Tensor, attribute_ids: torch.Tensor, value_ids: torch.Tensor) -> None:
        """Add a batch to the queues, its rows in order, and refresh the centres every `refresh_every` pushes.

        Features are averaged as they are; normalise them if their length must not matter. A row that is not finite in
        the queues' dtype is skipped: it would spoil the sum for ever.

        Args:
            features (`torch.Tensor` of shape `(N, d)`): of this process, from the momentum encoder.
            attribute_ids (`torch.Tensor` of shape `(N,)`): long, in [0, A).
            value_ids (`torch.Tensor` of shape `(N,)`): long; -1 = unlabelled, skipped.

        Raises:
            ValueError: if an attribute or a value does not exist.
        """
        self._check_ids(attribute_ids, value_ids)
        rows = (features.to(self._queues.dtype), attribute_ids, value_ids)
        features, attribute_ids, value_ids = (gather_with_gradient(part).to(self._sums.device) for part in rows)
        kept = (value_ids >= 0) & features.isfinite().all(-1)
        self._enqueue(features[kept], (self._offsets[attribute_ids] + value_ids)[kept])
        self._pushes += 1
        if self._pushes % self.refresh_every == 0:
            self.refresh()

    def refresh(self) -> None:
        """Set each centre to the mean of its queue (equation 11). The paper waits until the queue is full."""
        means = self._sums / self._taken.clamp(1, self.capacity)[:, None]
        self.centres[self._exists] = means.to(self.centres.dtype)
        self.present = self._table(self._taken >= self.min_filled)

    def _check_ids(self, attribute_ids: torch.Tensor, value_ids: torch.Tensor) -> None:
        sizes = self._exists.sum(-1).to(attribute_ids.device)
        known = (attribute_ids >= 0) & (attribute_ids < len(sizes))
        known &= value_ids < sizes[attribute_ids.clamp(0, len(sizes) - 1)]
        if not known.all():
            row = int((~known).nonzero()[0])
            raise ValueError(
                f"Row {row} has attribute {int(attribute_ids[row])} and value {int(value_ids[row])}, but the numbers "
                f"of values by attribute are {sizes.tolist()}: ids must be below them."
            )

    def _enqueue(self, features: torch.Tensor, queues: torch.Tensor) -> None:
        queues, order = queues.sort(stable=True)
        counts = queues.bincount(minlength=len(self._taken))
        ranks = torch.arange(len(queues), device=queues.device) - (counts.cumsum(0) - counts)[queues]
        slots = (self._taken[queues] + ranks) % self.capacity
        # If a batch has more rows of a value than its queue holds, only the last ones stay.
        stay = ranks >= counts[queues] - self.capacity
        queues, slots, features = queues[stay], slots[stay], features[order[stay]]
        before = self._queues[queues, slots]  # a slot that was never filled holds zeros
        change = features.to(self._sums.dtype) - before.to(self._sums.dtype)
        self._sums.index_add_(0, queues, change)
        self._queues[queues, slots] = features
        self._taken = self._taken + counts

    def _table(self, per_value: torch.Tensor) -> torch.Tensor:
        table = torch.zeros_like(self._exists, dtype=per_value.dtype)
        table[self._exists] = per_value
        return table

    def state_dict(self) -> dict[str, Any]:
        """Return the centres and the filled part of the queues, for a training checkpoint."""
        features = self._queues.cpu()[self._slots_in_use(self._taken.cpu())]
        state = {"features": features, "capacity": self.capacity, "pushes": self._pushes}
        tensors = {"taken": self._taken, "sums": self._sums, "centres": self.centres, "present": self.present}
        # Copies, which the next push does not change.
        return state | {name: tensor.to("cpu", copy=True) for name, tensor in tensors.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Args:
            state (`dict[str, Any]`): from `state_dict`.

        Raises:
            ValueError: if it is of other attributes, values, length of features, or capacity.
        """
        shapes = (tuple(state["centres"].shape), len(state["taken"]), state["capacity"])
        own_shapes = (tuple(self.centres.shape), len(self._taken), self.capacity)
        if shapes != own_shapes:
            raise ValueError(
                "The state must be of the same (attributes, most values of one, length of features), number of "
                f"values, and capacity: {own_shapes}, got {shapes}. Resume with the settings of the saved run."
            )
        device, state = self._sums.device, state | {"sums": state["sums"].to(self._sums.dtype)}
        names = ("taken", "sums", "centres", "present")
        self._taken, self._sums, self.centres, self.present = (state[name].to(device, copy=True) for name in names)
        self._pushes = state["pushes"]
        self._queues.zero_()
        self._queues[self._slots_in_use(self._taken)] = state["features"].to(self._queues)

    def _slots_in_use(self, taken: torch.Tensor) -> torch.Tensor:
        return torch.arange(self.capacity, device=taken.device) < taken[:, None]  # (total, capacity)
