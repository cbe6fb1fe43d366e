"""FR: re-ranks the first results of a search by moving the features of query and candidates.

Source: Wan et al., "From spatial to semantic: attribute-aware fashion similarity learning via iterative positioning
and attribute diverging" (IPAD), 2025, section 3.3; see `subgraphs_feature_reasoning.py`.
Shapes: Q queries, k candidates of each, n = k + 1 nodes (the query first), features of dimension d.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import layer_norm, linear, normalize, pad
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_utils import local_torch_dtype
from transformers.processing_utils import Unpack
from transformers.utils import ModelOutput, TransformersKwargs, can_return_tuple
from transformers.utils.generic import maybe_autocast

from .configuration_feature_reasoning import FeatureReasoningConfig
from .subgraphs_feature_reasoning import aggregate, first_copies, move, sort_candidates, subgraphs


@dataclass
class FeatureReasoningOutput(ModelOutput):
    """Output of [`FeatureReasoningModel`] for Q queries and their candidates.

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
        eps (`float`): added to the variance.
    """

    def __init__(self, eps: float):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(1))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, rows: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
        """Normalise rows.

        Args:
            rows (`torch.Tensor` of shape `(..., W)`): each row is normalised.
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

    def forward(
        self, subgraphs: torch.Tensor, valid: torch.Tensor | None = None, num_own: int | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the update that every node asks of its similarities.

        Args:
            subgraphs (`torch.Tensor` of shape `(Q, n, 2 * k + 1)`): delta of every node.
            valid (`torch.Tensor` of shape `(Q, n, k)`, *optional*): bool; places with a candidate. Default: all.
            num_own (`int`, *optional*): m, the number of nodes whose updates of their own similarities are needed.
                Default: all n.

        Returns:
            `tuple[torch.Tensor, torch.Tensor, torch.Tensor]`: o(delta) for S(i, q) (Q, n, 1), for S(i, pi_i) of the
            first m nodes (Q, m, k), and for S(q, pi_i) (Q, n, k); 0 where there is no candidate.
        """
        everywhere = None if valid is None else torch.cat([torch.ones_like(valid[..., :1]), valid, valid], dim=-1)
        hidden = self.norm1(self.fc1(self.norm_in(subgraphs, everywhere)).relu_())
        hidden = self.norm2(self.fc2(hidden).relu_())
        with_query, own, of_query = self._asked(hidden, [1, *[subgraphs.shape[-1] // 2] * 2], num_own)
        if valid is None:
            return with_query, own, of_query
        return with_query * valid.any(-1, keepdim=True), own * valid[:, :num_own], of_query * valid

    def _asked(self, hidden: torch.Tensor, widths: list[int], num_own: int | None) -> tuple[torch.Tensor, ...]:
        """Return the parts of the last layer's output, the second of them for the first nodes only."""
        weight, bias = self.fc_out.weight, self.fc_out.bias
        as_made = type(self.fc_out) is FeatureReasoningHead and not hasattr(weight, "__tensor_flatten__")
        if not as_made or weight.is_meta:  # an adapter, int8, or offloaded: the layer must be called
            with_query, own, of_query = self.fc_out(hidden).split(widths, dim=-1)
            return with_query, own[:, :num_own], of_query
        parts = zip((hidden, hidden[:, :num_own], hidden), weight.split(widths), bias.split(widths), strict=True)
        return tuple(linear(*part) for part in parts)


class FeatureReasoningPreTrainedModel(PreTrainedModel):
    """Base of FR: its configuration and its initial weights."""

    config: FeatureReasoningConfig
    base_model_prefix = "feature_reasoning"
    main_input_name = "query_embeds"
    _no_split_modules = ["FeatureReasoningUpdate"]
    # Similarities differ by less than half precision can tell, and a step moves features by less still.
    _keep_in_fp32_modules_strict = ["query_update", "candidate_update", "logit_scale"]

    def get_input_embeddings(self) -> None:
        """There are none: the inputs are features."""

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        """Initialise weights by torch's own rule, heads with zeros; biases are zero."""
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
        config.validate_architecture()  # once more: `from_pretrained(folder, field=value)` sets fields later
        super().__init__(config)
        with local_torch_dtype(torch.float32):  # whatever type the model is created in
            self.query_update = FeatureReasoningUpdate(config)
            self.candidate_update = FeatureReasoningUpdate(config)
            self.logit_scale = nn.Parameter(torch.tensor(float(config.logit_scale_init_value)))
        self.post_init()

    def save_pretrained(self, save_directory, **kwargs):
        if getattr(self, "quantization_method", None) == "torchao":
            raise ValueError(
                "Saved as int8, this model could not be loaded again: torchao reads no parameter outside of a layer, "
                "such as `logit_scale`. Save it in float, and load it with `quantization_config`."
            )
        super().save_pretrained(save_directory, **kwargs)

    @can_return_tuple
    def forward(
        self,
        query_embeds: torch.Tensor,
        candidate_embeds: torch.Tensor,
        candidate_mask: torch.Tensor | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> FeatureReasoningOutput:
        """Move the embeddings of queries and candidates; one query's result depends on no other query.

        Args:
            query_embeds (`torch.Tensor` of shape `(Q, d)`): search features; they need not be normalised.
            candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): of the first candidates of each query, at most
                `config.num_candidates`. Their order does not matter, but for equal similarities.
            candidate_mask (`torch.Tensor` of shape `(Q, k)`, *optional*): bool, False where a list has no candidate.
                Default: all lists are full.

        Returns:
            `FeatureReasoningOutput`: float64, in which rounding decides no order; in training and on devices of Apple,
            which have no float64, in the dtype of the weights.

        Raises:
            ValueError: if the shapes do not fit each other, or there are more candidates than the weights are for.
        """
        mask = self._checked_mask(query_embeds, candidate_embeds, candidate_mask)
        number = mask.shape[-1]
        missing = self.config.num_candidates - number
        full = candidate_mask is None and missing == 0
        filled = None if full else pad(mask, (0, missing))
        exact = self.dtype if self.training or query_embeds.device.type == "mps" else torch.float64
        with maybe_autocast(query_embeds.device.type, enabled=False):
            query = normalize(query_embeds.to(exact), dim=-1)[:, None]  # (Q, 1, d)
            candidates = normalize(candidate_embeds.to(exact), dim=-1)  # (Q, k, d)
            if not full:  # filled up with candidates that are not there
                candidates = pad(candidates.masked_fill(~mask[..., None], 0.0), (0, 0, 0, missing))
            before = _cosines(query, candidates)
            for _ in range(self.config.num_rounds):
                query, candidates = self._reason(query, candidates, filled)
            after = _cosines(query, candidates)
        return FeatureReasoningOutput(
            similarities=after[:, 0, :number].masked_fill(~mask, -torch.inf),
            initial_similarities=before[:, 0, :number].masked_fill(~mask, -torch.inf),
            query_embeds=query[:, 0],
            candidate_embeds=candidates[:, :number],
            logit_scale=self.logit_scale.exp(),
        )

    def rerank(
        self,
        query_embeds: torch.Tensor,
        candidate_embeds: torch.Tensor,
        candidate_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return scores to re-rank lists by: a list that is not moved keeps its order, ties and rounding included.

        The change of the similarities is added to the initial ones, which are made to follow the order of the list.

        Args:
            query_embeds (`torch.Tensor` of shape `(Q, d)`): as in `forward`, like all others.
            candidate_embeds (`torch.Tensor` of shape `(Q, k, d)`): the best first.
            candidate_mask (`torch.Tensor` of shape `(Q, k)`, *optional*): bool, False where a list has no candidate.

        Returns:
            `torch.Tensor` of shape `(Q, k)`: higher is better; -inf where no candidate is.
        """
        outputs = self(query_embeds, candidate_embeds, candidate_mask, return_dict=True)
        there = outputs.initial_similarities.isfinite()
        before = outputs.initial_similarities.masked_fill(~there, torch.inf).cummin(dim=-1).values
        change = outputs.similarities - outputs.initial_similarities
        return torch.where(there, before + change, -torch.inf)

    def _checked_mask(
        self, query_embeds: torch.Tensor, candidate_embeds: torch.Tensor, candidate_mask: torch.Tensor | None
    ) -> torch.Tensor:
        """Return (Q, k), True where a candidate is."""
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
        self, query: torch.Tensor, candidates: torch.Tensor, mask: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Run a round, equations 12 and 13: move the query, then the candidates. Without a mask all lists are full."""
        units = normalize(candidates, dim=-1)
        # These hold for the whole round: before the candidates move, only the query has.
        similarities = units @ units.mT  # (Q, k, k)
        copies = first_copies(similarities)
        among = sort_candidates(_of_first(similarities, copies), mask)  # two of (Q, k, k)
        # What candidates ask of each other does not move the query.
        of_query = _of_first(normalize(query, dim=-1) @ units.mT, copies)  # (Q, 1, k)
        to_candidates, _ = self._asked(self.query_update, of_query, among, mask, num_own=1)
        query = move(query, to_candidates @ units, self.config.step_size)
        of_query = _of_first(normalize(query, dim=-1) @ units.mT, copies)
        to_candidates, asked = self._asked(self.candidate_update, of_query, among, mask)
        pulls = to_candidates.mT @ normalize(query, dim=-1) + (asked + asked.mT) @ units  # (Q, k, d)
        return query, move(candidates, pulls, self.config.step_size)

    def _asked(
        self,
        update: FeatureReasoningUpdate,
        of_query: torch.Tensor,
        among: tuple[torch.Tensor, torch.Tensor],
        mask: torch.Tensor | None,
        num_own: int | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return `aggregate`'s equation 12 from the query's similarities and the sorted ones among the candidates."""
        of_nodes = zip(sort_candidates(of_query, mask), among, strict=True)
        own, orders = (torch.cat(parts, dim=1) for parts in of_nodes)  # (Q, n, k)
        valid = None
        if mask is not None:  # in every node's order the candidates that are there come first; no others are nodes
            places = torch.arange(mask.shape[-1], device=mask.device) < mask.sum(-1, keepdim=True)
            valid = places[:, None] & pad(mask, (1, 0), value=True)[..., None]  # (Q, n, k)
        asked = update(subgraphs(of_query, own, orders).to(self.dtype), valid, num_own)
        return aggregate(*(part.to(of_query) for part in asked), orders)


def _of_first(similarities: torch.Tensor, copies: torch.Tensor) -> torch.Tensor:
    """Return similarities with the candidates (Q, m, k), of copies those with the first one."""
    return similarities.gather(-1, copies[:, None].expand_as(similarities))


def _cosines(query: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
    """Return the cosines (Q, 1, k)."""
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
