"""FR: re-ranks the first results of a search by moving the features of query and candidates.

Source: Wan et al., "From spatial to semantic: attribute-aware fashion similarity learning via iterative positioning
and attribute diverging" (IPAD), 2025, section 3.3; see `subgraphs_feature_reasoning.py`.
Shapes: Q queries, k candidates of each, n = k + 1 nodes (the query first), features of dimension d.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import layer_norm, normalize, pad
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.utils import ModelOutput, can_return_tuple
from transformers.utils.generic import maybe_autocast

from .configuration_feature_reasoning import FeatureReasoningConfig
from .subgraphs_feature_reasoning import aggregate, candidate_orders, move, subgraphs


@dataclass
class FeatureReasoningOutput(ModelOutput):
    """What FR makes of Q queries and their candidates.

    Args:
        similarities (`torch.Tensor` of shape `(Q, k)`): cosines of query and candidates after they moved: the higher,
            the nearer to the top; -inf where no candidate is.
        initial_similarities (`torch.Tensor` of shape `(Q, k)`): the same before.
        query_embeds (`torch.Tensor` of shape `(Q, d)`): the moved queries.
        candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): the moved candidates.
        logit_scale (`torch.Tensor` of shape `()`): factor on the cosines in the loss, above 0.
    """

    similarities: torch.Tensor | None = None
    initial_similarities: torch.Tensor | None = None
    query_embeds: torch.Tensor | None = None
    candidate_embeds: torch.Tensor | None = None
    logit_scale: torch.Tensor | None = None


class FeatureReasoningNorm(nn.Module):
    """Instance norm of one channel: zero mean and unit variance within a row, then one weight and one bias.

    Args:
        eps (`float`): what is added to the variance.
    """

    def __init__(self, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, rows: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
        """
        Args:
            rows (`torch.Tensor` of shape `(..., W)`): what is normalised, row by row.
            valid (`torch.Tensor`, *optional*): bool, broadcast to `rows`; places that count, the others become 0.
                Default: all.

        Returns:
            `torch.Tensor` of shape `(..., W)`.
        """
        if valid is None:
            # Fused. Only first derivatives are taken through it, since features move in closed form.
            width = rows.shape[-1]
            return layer_norm(rows, (width,), self.weight.expand(width), self.bias.expand(width), self.eps)
        count = valid.sum(-1, keepdim=True)
        centred = (rows - (rows * valid).sum(-1, keepdim=True) / count) * valid
        scale = (centred.square().sum(-1, keepdim=True) / count + self.eps).rsqrt()
        return centred * (scale * self.weight) + self.bias * valid


class FeatureReasoningHead(nn.Linear):
    """Last layer of an update network; it starts at zero, so that an untrained FR changes no ranking."""


class FeatureReasoningUpdate(nn.Module):
    """The update network o: what a sub-graph asks of its similarities.

    Args:
        config (`FeatureReasoningConfig`): the model's configuration.
    """

    def __init__(self, config: FeatureReasoningConfig):
        super().__init__()
        width = 2 * config.num_candidates + 1
        self.norm_in = FeatureReasoningNorm(config.norm_eps)
        self.fc1 = nn.Linear(width, config.hidden_size)
        self.norm1 = FeatureReasoningNorm(config.norm_eps)
        self.fc2 = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm2 = FeatureReasoningNorm(config.norm_eps)
        self.fc_out = FeatureReasoningHead(config.hidden_size, width)

    def forward(self, subgraphs: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """
        Args:
            subgraphs (`torch.Tensor` of shape `(Q, n, 2 * k + 1)`): delta of every node.
            valid (`torch.Tensor` of shape `(Q, 1, 2 * k + 1)`): bool; places that stand for a candidate or the query.

        Returns:
            `torch.Tensor` of shape `(Q, n, 2 * k + 1)`: o(delta), 0 where nothing stands.
        """
        hidden = self.norm1(self.fc1(self.norm_in(subgraphs, valid)).relu())
        return self.fc_out(self.norm2(self.fc2(hidden).relu())) * valid


class FeatureReasoningPreTrainedModel(PreTrainedModel):
    """Base of FR: its configuration and its initial weights."""

    config: FeatureReasoningConfig
    base_model_prefix = "feature_reasoning"
    main_input_name = "query_embeds"
    # Similarities differ by less than half precision can tell, and a step moves features by less still.
    _keep_in_fp32_modules_strict = ["query_update", "candidate_update", "logit_scale"]

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        """torch's own rule, but for the heads."""
        super()._init_weights(module)
        if isinstance(module, FeatureReasoningHead):
            init.zeros_(module.weight)
        elif isinstance(module, nn.Linear):
            init.kaiming_uniform_(module.weight, a=math.sqrt(5))
        elif isinstance(module, FeatureReasoningNorm):
            init.ones_(module.weight)
            init.zeros_(module.bias)
        elif isinstance(module, FeatureReasoningModel):
            init.constant_(module.logit_scale, self.config.logit_scale_init_value)


class FeatureReasoningModel(FeatureReasoningPreTrainedModel):
    """FR: two update networks, of which one moves the query and one, having seen that, the candidates."""

    def __init__(self, config: FeatureReasoningConfig):
        super().__init__(config)
        self.query_update = FeatureReasoningUpdate(config)
        self.candidate_update = FeatureReasoningUpdate(config)
        self.logit_scale = nn.Parameter(torch.tensor(float(config.logit_scale_init_value)))
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        query_embeds: torch.Tensor,
        candidate_embeds: torch.Tensor,
        candidate_mask: torch.Tensor | None = None,
        **kwargs,
    ) -> FeatureReasoningOutput:
        """Re-ranks the candidates of each query; one query's result depends on no other query.

        Args:
            query_embeds (`torch.Tensor` of shape `(Q, d)`): search features; they need not be normalised.
            candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): of the first candidates of each query, at most
                `config.num_candidates`. Their order does not matter, but for equal similarities.
            candidate_mask (`torch.Tensor` of shape `(Q, k)`, *optional*): bool, False where a list has no candidate.
                Default: all lists are full.

        Returns:
            `FeatureReasoningOutput`: in the dtype of the weights, float32 unless they were cast.

        Raises:
            ValueError: if the shapes do not fit each other, or there are more candidates than the weights are for.
        """
        mask = self._checked_mask(query_embeds, candidate_embeds, candidate_mask)
        with maybe_autocast(query_embeds.device.type, enabled=False):
            # (Q, 1, d) and (Q, k, d), filled up with candidates that are not there
            query = normalize(query_embeds.to(self.dtype), dim=-1)[:, None]
            missing = self.config.num_candidates - mask.shape[-1]
            filled = pad(mask, (0, missing))
            candidates = pad(normalize(candidate_embeds.to(self.dtype), dim=-1) * mask[..., None], (0, 0, 0, missing))
            before = _cosines(query, candidates)
            for _ in range(self.config.num_rounds):
                query, candidates = self._reason(query, candidates, filled)
            after = _cosines(query, candidates)
        number = mask.shape[-1]
        return FeatureReasoningOutput(
            similarities=after[:, 0, :number].masked_fill(~mask, -torch.inf),
            initial_similarities=before[:, 0, :number].masked_fill(~mask, -torch.inf),
            query_embeds=query[:, 0],
            candidate_embeds=candidates[:, :number],
            logit_scale=self.logit_scale.exp(),
        )

    def _checked_mask(
        self, query_embeds: torch.Tensor, candidate_embeds: torch.Tensor, candidate_mask: torch.Tensor | None
    ) -> torch.Tensor:
        """(Q, k), True where a candidate is."""
        shape = candidate_embeds.shape
        if query_embeds.ndim != 2 or len(shape) != 3 or query_embeds.shape != (shape[0], shape[2]):
            raise ValueError(
                "`query_embeds` must have shape (Q, d) and `candidate_embeds` (Q, k, d); got "
                f"{tuple(query_embeds.shape)} and {tuple(shape)}."
            )
        if shape[1] > self.config.num_candidates:
            raise ValueError(
                f"`candidate_embeds` must hold at most `config.num_candidates`={self.config.num_candidates} "
                f"candidates a query, which the weights are made for; got {shape[1]}. Re-rank the first ones."
            )
        if candidate_mask is None:
            return torch.ones(shape[:2], dtype=torch.bool, device=candidate_embeds.device)
        if candidate_mask.shape != shape[:2] or candidate_mask.dtype != torch.bool:
            raise ValueError(
                f"`candidate_mask` must be bool of shape {tuple(shape[:2])}, as the candidates; got "
                f"{candidate_mask.dtype} of shape {tuple(candidate_mask.shape)}."
            )
        return candidate_mask

    def _reason(
        self, query: torch.Tensor, candidates: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """One round, equations 12 and 13: the query moves, then the candidates."""
        units = normalize(candidates, dim=-1)
        # These hold for the whole round: before the candidates move, only the query has.
        among = units @ units.mT  # (Q, k, k)
        orders = candidate_orders(among, mask)
        to_candidates, _ = self._asked(self.query_update, query, units, among, orders, mask)
        query = move(query, to_candidates @ units, self.config.step_size)
        to_candidates, among = self._asked(self.candidate_update, query, units, among, orders, mask)
        pulls = to_candidates.mT @ normalize(query, dim=-1) + among @ units  # (Q, k, d)
        return query, move(candidates, pulls, self.config.step_size)

    def _asked(
        self,
        update: FeatureReasoningUpdate,
        query: torch.Tensor,
        units: torch.Tensor,
        among: torch.Tensor,
        orders: torch.Tensor,
        mask: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """G + G^T of equation 12: (Q, 1, k) between query and candidates, (Q, k, k) among the candidates."""
        of_query = normalize(query, dim=-1) @ units.mT  # (Q, 1, k)
        orders = torch.cat([candidate_orders(of_query, mask), orders], dim=1)  # (Q, n, k)
        nodes = pad(mask, (1, 0), value=True)  # (Q, n)
        # In every node's order the candidates that are there come first.
        places = pad(mask.sort(dim=-1, descending=True).values, (1, 0), value=True)  # (Q, n)
        valid = torch.cat([places, places[:, 1:]], dim=-1)[:, None]  # (Q, 1, 2 * k + 1)
        updates = update(subgraphs(torch.cat([of_query, among], dim=1), orders), valid)
        return aggregate(updates * nodes[..., None], orders)


def _cosines(query: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
    """(Q, 1, k)."""
    return normalize(query, dim=-1) @ normalize(candidates, dim=-1).mT


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
FeatureReasoningModel.register_for_auto_class("AutoModel")

__all__ = [
    "FeatureReasoningHead",
    "FeatureReasoningModel",
    "FeatureReasoningNorm",
    "FeatureReasoningOutput",
    "FeatureReasoningPreTrainedModel",
    "FeatureReasoningUpdate",
]
