"""How a text tower reads texts: how many tokens, whether padded, with which inputs, and which words count more."""

import torch
from torch import nn
from transformers import PreTrainedConfig, PreTrainedTokenizerBase


# They number positions from the one behind the padding token's id on, so that the first ones are never used.
COUNTED_FROM_PADDING = (
    *("camembert", "data2vec-text", "longformer", "mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta"),
    *("xlm-roberta-xl", "xmod"),
)
# A tokenizer that states no `model_max_length` has 1e30.
NO_LENGTH = 10**9


def reads_full_length(text_config: PreTrainedConfig) -> bool:
    """Return whether a text tower reads every text padded to its last position, as SigLIP's does.

    It pools at the last position and was trained without an attention mask.

    Args:
        text_config (`PreTrainedConfig`): configuration of the text tower.
    """
    return text_config.model_type == "siglip_text_model"


def num_positions(text_config: PreTrainedConfig) -> int | None:
    """Return the number of tokens that a text tower has positions for; `None` where any number is read.

    Args:
        text_config (`PreTrainedConfig`): configuration of the text tower.
    """
    positions = getattr(text_config, "max_position_embeddings", None)
    if positions is not None and text_config.model_type in COUNTED_FROM_PADDING:
        return positions - text_config.pad_token_id - 1
    return positions


def max_tokens(tokenizer: PreTrainedTokenizerBase, text_config: PreTrainedConfig) -> int:
    """Return the number of tokens that are read of a text: what tokenizer and text tower both allow.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): the tokenizer.
        text_config (`PreTrainedConfig`): configuration of the text tower.

    Raises:
        ValueError: neither states a length.
    """
    positions = num_positions(text_config)
    if positions is not None and reads_full_length(text_config):
        return positions
    lengths = [length for length in (tokenizer.model_max_length, positions) if length and length < NO_LENGTH]
    if not lengths:
        raise ValueError(
            f"neither the tokenizer nor a text tower of type {text_config.model_type!r} says how many tokens are read "
            "of a text: set `model_max_length` of the tokenizer, such as 128"
        )
    return min(lengths)


def text_options(text_config: PreTrainedConfig) -> dict:
    """Return how to call a tokenizer for a text tower: padding, and the attention mask.

    Args:
        text_config (`PreTrainedConfig`): configuration of the text tower.
    """
    if reads_full_length(text_config):
        return {"padding": "max_length", "return_attention_mask": False}
    return {"padding": True}


class E2EntityWords(nn.Module):
    """Add to a text embedding the words that name entities, each entity with a learned weight.

    The embedding of a text of tokens t becomes

        pool(T) + sum_e w_e * sum_t s(t, e) h_t / max(1, sum_t s(t, e))

    with the text tower's last states h_t, its own embedding pool(T), and for each entity e the learned weight w_e, 0
    in a new model. s(t, e) in 0..1 is how often token t, where a text of the training corpus has it, names the
    product's e; training measures it once, and it is saved with the weights.

    The idea is that of EI-CLIP (Ma et al., "EI-CLIP: Entity-aware Interventional Contrastive Learning for E-commerce
    Cross-modal Retrieval", CVPR 2022): words such as a brand's mean something else in a shop than a text encoder has
    learned; select them, and learn them by the contrastive loss. How they are selected and what they add is ours, and
    not the published model.
    """

    def __init__(self, config: PreTrainedConfig):
        super().__init__()
        entities = len(config.weighted_entities)
        self.weight = nn.Parameter(torch.zeros(entities))
        self.register_buffer("shares", torch.zeros(config.text_config.vocab_size, entities))

    def resize(self, vocab_size: int) -> None:
        """Change the number of tokens; new ones name no entity.

        Args:
            vocab_size (`int`): of the text tower, as it is now.
        """
        kept = self.shares[:vocab_size]
        self.shares = torch.cat([kept, kept.new_zeros(vocab_size - len(kept), kept.shape[1])])

    def forward(self, pooled: torch.Tensor, input_ids: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """
        Args:
            pooled (`torch.Tensor` of shape `(T, D)`): text embeddings before the projection.
            input_ids (`torch.Tensor` of shape `(T, L)`): token ids; those of padding name no entity.
            states (`torch.Tensor` of shape `(T, L, D)`): states of the tokens.

        Returns:
            `torch.Tensor` of shape `(T, D)`: text embeddings before the projection.
        """
        shares = self.shares[input_ids]  # (T, L, E)
        weights = shares * (self.weight / shares.sum(1, keepdim=True).clamp(min=1))  # (T, L, E)
        return pooled + torch.einsum("tl,tld->td", weights.sum(-1), states)


__all__ = ["E2EntityWords", "max_tokens", "num_positions", "reads_full_length", "text_options"]
