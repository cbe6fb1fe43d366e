"""A combiner small enough to run in milliseconds, and queries for it to move."""

import torch
from torch.nn.functional import normalize
from transformers import set_seed

from hf_fashion.models.combiner.configuration_combiner import CombinerConfig
from hf_fashion.models.combiner.modeling_combiner import CombinerModel


DIM = 12
SPACES = ["image", "brand", "season"]


def tiny_combiner_config(**kwargs) -> CombinerConfig:
    return CombinerConfig(**({"spaces": SPACES, "embed_dim": DIM, "hidden_size": 16} | kwargs))


def tiny_combiner(seed: int = 0, **kwargs) -> CombinerModel:
    """Return a model with random heads: a new one changes no query."""
    set_seed(seed)
    model = CombinerModel(tiny_combiner_config(**kwargs)).eval()
    with torch.no_grad():
        for head in (model.factors, model.residual):
            head.weight.normal_()
    return model


def tiny_queries(number: int = 3, spaces: int = len(SPACES), seed: int = 0) -> dict[str, torch.Tensor]:
    """Return `photo_embeds`, `words_embeds` and `start_embeds`, which do not search the first space of several."""
    generator = torch.Generator().manual_seed(seed)
    photos, start = (normalize(torch.randn(number, spaces, DIM, generator=generator), dim=-1) for _ in range(2))
    if spaces > 1:
        start[:, 0] = 0
    start = start / start.norm(dim=-1).sum(1)[:, None, None]
    words = normalize(torch.randn(number, DIM, generator=generator), dim=-1)
    return {"photo_embeds": photos, "words_embeds": words, "start_embeds": start}
