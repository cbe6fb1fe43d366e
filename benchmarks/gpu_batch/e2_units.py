"""E2 and CLIP-FT from one pretrained vision encoder and a new text tower: train, and measure search and tags."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    PreTrainedModel,
    VisionTextDualEncoderConfig,
    VisionTextDualEncoderModel,
)

from benchmarks.gpu_batch.optimising import Clock, mixed_precision, optimise, with_rates
from benchmarks.gpu_batch.packed import Packed, PackedCorpus
from benchmarks.gpu_batch.settings import Settings
from hf_fashion.losses.e2 import e2_losses
from hf_fashion.metrics import cross_modal_recall, mean_average_precision, recall_at_k
from hf_fashion.models.e2.modeling_e2 import E2Model
from hf_fashion.training.e2.step import MAX_LOGIT_SCALE


@dataclass(frozen=True)
class TextRow:
    """A row of the table of E2: the texts it learns from, and E2's weight of the region loss, `None` for CLIP-FT."""

    texts: str
    region_weight: float | None = None


TEXT_ROWS = {
    f"{texts}/{model}": TextRow(texts, weight)
    for texts in ("titles", "titles with tags")
    for model, weight in (("clip-ft", None), ("e2, region weight 0.5", 0.5), ("e2, region weight 0.2", 0.2))
}


def run_text_row(packed: Packed, corpus: PackedCorpus, row: TextRow, seed: int, clock: Clock) -> dict[str, float]:
    """Return the metrics of a row, trained from one start with one budget.

    Args:
        packed (`Packed`): settings and the vision encoder.
        corpus (`PackedCorpus`): products with texts and tags.
        row (`TextRow`): the row.
        seed (`int`): of weights, order and views.
        clock (`Clock`): the time that is left.
    """
    settings = packed.settings
    torch.manual_seed(seed)
    text, vision = make_text_tower(corpus, settings), packed.model("vision")
    make = make_clip_ft if row.region_weight is None else make_e2
    model = make(vision, text, corpus, settings, row).to(corpus.device)
    pretrained = ["vision_model."] if row.region_weight is None else ["vision_model.tower."]
    batches = epoch_batches(corpus.num_train, settings.e2_batch, settings.e2_epochs, seed)
    loss_of = make_loss(model, corpus, row, batches, seed)

    def clip_scale() -> None:
        model.logit_scale.data.clamp_(0, MAX_LOGIT_SCALE)

    optimise(model, with_rates(model, pretrained, settings), len(batches), loss_of, clock, clip_scale)
    return measure(model, corpus, row)


def make_text_tower(corpus: PackedCorpus, settings: Settings) -> CLIPTextModel:
    """Return a CLIP text tower of random weights for the tokenizer of the corpus."""
    sizes = {"hidden_size": settings.text_width, "intermediate_size": 4 * settings.text_width}
    sizes |= {"num_hidden_layers": settings.text_layers, "num_attention_heads": settings.text_width // 64}
    return CLIPTextModel(
        CLIPTextConfig(**sizes, **corpus.facts["tokens"], max_position_embeddings=settings.max_tokens)
    )


def make_clip_ft(vision: PreTrainedModel, text: PreTrainedModel, corpus, settings: Settings, row) -> PreTrainedModel:
    """Return both towers with projections, as transformers joins them."""
    config = VisionTextDualEncoderConfig.from_vision_text_configs(
        vision.config, text.config, projection_dim=settings.projection_dim
    )
    return VisionTextDualEncoderModel(config, vision, text)


def make_e2(
    vision: PreTrainedModel, text: PreTrainedModel, corpus: PackedCorpus, settings: Settings, row: TextRow
) -> E2Model:
    """Return an E2 around the same towers."""
    fields = {"tag_entities": corpus.facts["entities"], "projection_dim": settings.projection_dim}
    return E2Model.from_towers(vision, text, **fields, region_loss_weight=row.region_weight)


def epoch_batches(number: int, batch_size: int, epochs: int, seed: int) -> list[Tensor]:
    """Return the rows of every batch, in a new order each epoch; rows that fill no batch wait for the next epoch."""
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(number, generator=generator) for _ in range(epochs)]
    return [rows for order in orders for rows in order.split(batch_size) if len(rows) == min(batch_size, number)]


def make_loss(
    model: PreTrainedModel, corpus: PackedCorpus, row: TextRow, batches: list[Tensor], seed: int
) -> Callable[[int], Tensor]:
    """Return number of a step -> loss of its batch."""
    views = torch.Generator().manual_seed(seed)

    def loss_of(number: int) -> Tensor:
        rows = batches[number]
        inputs = tokens_of(corpus, row.texts, rows) | {"pixel_values": corpus.pixels(rows, views)}
        if row.region_weight is None:
            with mixed_precision(corpus.device):
                sides = embed_photos(model, inputs.pop("pixel_values"))["image"], embed_texts(model, inputs)
            return e2_losses(*(side.float() for side in sides), model.logit_scale.exp())["contrastive"]
        inputs |= {name: corpus.on_device(name, rows) for name in ("tag_input_ids", "tag_attention_mask")}
        with mixed_precision(corpus.device):
            outputs = model(**inputs)
        embeds = {
            name: outputs[name].float() for name in ("image_embeds", "text_embeds", "region_embeds", "tag_embeds")
        }
        losses = e2_losses(logit_scale=model.logit_scale.exp(), tag_ids=corpus.on_device("tag_ids", rows), **embeds)
        weights = {"contrastive": model.config.contrastive_loss_weight, "region": model.config.region_loss_weight}
        return sum(weights[name] * loss for name, loss in losses.items())

    return loss_of


def tokens_of(corpus: PackedCorpus, texts: str, rows: Tensor | slice = slice(None)) -> dict[str, Tensor]:
    """Return the tokens of some texts, cut to the longest of them."""
    ids, mask = (corpus.on_device(f"{texts}.{part}", rows) for part in ("input_ids", "attention_mask"))
    longest = int(mask.sum(1).max())
    return {"input_ids": ids[:, :longest], "attention_mask": mask[:, :longest]}


def embed_photos(model: PreTrainedModel, pixels: Tensor) -> dict[str, Tensor]:
    """Return the normalised image embeddings and, of E2, those of the regions."""
    if isinstance(model, E2Model):
        outputs = model(pixel_values=pixels)
        return {"image": outputs.image_embeds, "region": outputs.region_embeds}
    return {"image": nn.functional.normalize(model.get_image_features(pixel_values=pixels).pooler_output, dim=-1)}


def embed_texts(model: PreTrainedModel, tokens: dict[str, Tensor]) -> Tensor:
    """Return normalised text embeddings."""
    return nn.functional.normalize(model.get_text_features(**tokens).pooler_output, dim=-1)


@torch.inference_mode()
def measure(model: PreTrainedModel, corpus: PackedCorpus, row: TextRow) -> dict[str, float]:
    """Return recall among distinct titles, and by entity the accuracy of naming tags and MAP of search by tag."""
    rows = torch.arange(corpus.num_train, len(corpus.photos))
    parts = [embed_photos(model, corpus.pixels(part)) for part in rows.split(256)]
    photos = {name: torch.cat([part[name] for part in parts]).float().cpu() for name in parts[0]}
    chosen = corpus.tensors["candidates"].long()
    texts = embed_texts(model, tokens_of(corpus, row.texts, rows[chosen])).float().cpu()
    labels = torch.arange(len(chosen))
    metrics = cross_modal_recall(photos["image"][chosen], texts, labels, labels)
    metrics = {name: value for name, value in metrics.items() if "ceiling" not in name}
    for number, entity in enumerate(corpus.facts["entities"]):
        tagged, tag_ids = (corpus.tensors[f"{entity}.{part}"].long() for part in ("rows", "labels"))
        tags = embed_texts(model, tokens_of(corpus, entity)).float().cpu()
        sources = {"image": photos["image"]} | ({"region": photos["region"][:, number]} if "region" in photos else {})
        for source, embeds in sources.items():
            found = tag_metrics(embeds[tagged], tags, tag_ids)
            metrics |= {f"{entity}_{source}_{name}": value for name, value in found.items()}
    return metrics


def tag_metrics(embeds: Tensor, tags: Tensor, tag_ids: Tensor) -> dict[str, float]:
    """Return the accuracy of naming each photo's tag, and MAP of finding photos by tag."""
    all_tags = torch.arange(len(tags))
    accuracy = recall_at_k(embeds, tags, tag_ids, all_tags, ks=(1,))["recall@1"]
    return {"accuracy": accuracy, "map": mean_average_precision(tags, embeds, all_tags, tag_ids)["map"]}
