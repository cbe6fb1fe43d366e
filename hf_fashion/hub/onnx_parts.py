"""Which parts of a model become ONNX files: what each takes and returns, and inputs to try it with.

The names are those that transformers.js and optimum look for: `vision_model.onnx` and `text_model.onnx` where a model
has two sides, as with CLIP, else `model.onnx`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from ..embedding.capabilities import check_has_vectors
from ..models.e2.texts_e2 import num_positions, reads_full_length


# Sizes of the batches that a part is tried with. The first is traced, and a graph would take a 1 for a constant.
BATCH_SIZES = (2, 1, 5)
# The longest text that is tried, in tokens: some text towers read thousands.
LONG_TEXT = 128


@dataclass(frozen=True)
class OnnxPart:
    """One ONNX file.

    Args:
        name (`str`): of the file, without `.onnx`.
        module (`nn.Module`): takes the inputs by their names and returns a tuple of tensors.
        examples (`list[dict[str, Tensor]]`): inputs; the first are traced.
        dynamic (`Mapping[str, Mapping[int, str]]`): of each input the names of the dimensions whose sizes are free.
        outputs (`tuple[str, ...]`): names of what the module returns.
    """

    name: str
    module: nn.Module
    examples: list[dict[str, Tensor]]
    dynamic: Mapping[str, Mapping[int, str]]
    outputs: tuple[str, ...]


class E2ImageSide(nn.Module):
    """E2's image side: what `E2Model` returns for photos.

    Args:
        model (`E2Model`): the whole model.
    """

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model
        self.outputs = ("image_embeds", "region_embeds") if model.config.tag_entities else ("image_embeds",)

    def forward(self, pixel_values: Tensor) -> tuple[Tensor, ...]:
        """Return embeddings (B, P) and region embeddings (B, E, P) of photos (B, 3, H, W), all of length 1."""
        outputs = self.model(pixel_values=pixel_values, return_dict=True)
        return tuple(outputs[name] for name in self.outputs)


class E2TextSide(nn.Module):
    """E2's text side: what `E2Model` returns for texts.

    Args:
        model (`E2Model`): the whole model.
    """

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> tuple[Tensor]:
        """Return embeddings (T, P), of length 1, of tokens (T, L) and their mask."""
        outputs = self.model(input_ids=input_ids, attention_mask=attention_mask, return_dict=True)
        return (outputs.text_embeds,)


class AttributePhotos(nn.Module):
    """An attribute-specific model, with its region crop where it has one.

    Args:
        model (`AttributePreTrainedModel`): ASEN, ASEN++, CSN, IPAD or RPF.
        outputs (`tuple[str, ...]`): fields of `AttributeOutput` to return.
    """

    def __init__(self, model: PreTrainedModel, outputs: tuple[str, ...]):
        super().__init__()
        self.model, self.outputs = model, outputs

    def forward(
        self,
        pixel_values: Tensor,
        attribute_ids: Tensor,
        source_pixel_values: Tensor | None = None,
        source_sizes: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """Return the outputs of the model for photos (B, 3, S, S) and attributes (B, K)."""
        found = self.model(pixel_values, attribute_ids, source_pixel_values, source_sizes, return_dict=True)
        return tuple(found[name] for name in self.outputs)


class FeatureReasoningScores(nn.Module):
    """FR's scores to re-rank lists by.

    Args:
        model (`FeatureReasoningModel`): the model.
    """

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model

    def forward(self, query_embeds: Tensor, candidate_embeds: Tensor, candidate_mask: Tensor) -> tuple[Tensor]:
        """Return scores (Q, k) of candidates (Q, k, d), given their mask (Q, k) and the queries (Q, d)."""
        return (self.model.rerank(query_embeds, candidate_embeds, candidate_mask),)


def onnx_parts(model: PreTrainedModel, photo_size: tuple[int, int] | None = None) -> list[OnnxPart]:
    """Return the parts of a model that become ONNX files.

    Args:
        model (`PreTrainedModel`): E2, an attribute-specific model, or FR.
        photo_size (`tuple[int, int]`, *optional*): height and width that its image processor makes of photos. Default:
            the size that its configuration names, which a tower such as DINOv2's is not bound to.

    Raises:
        ValueError: the model is none of these.
    """
    check_has_vectors(model.config)
    kind = "attribute" if getattr(model.config, "attribute_names", None) else model.config.model_type
    if kind != "e2" and kind not in _PARTS:
        raise ValueError(
            f"a model of type {kind!r} cannot be exported here, only E2 ('e2'), the attribute-specific models ASEN, "
            "ASEN++, CSN ('asen'), IPAD and RPF ('ipad'), and FR ('feature_reasoning'); optimum exports CLIP and "
            "other models of transformers"
        )
    return _e2_parts(model, photo_size) if kind == "e2" else _PARTS[kind](model)


def _e2_parts(model: PreTrainedModel, photo_size: tuple[int, int] | None) -> list[OnnxPart]:
    size = photo_size or model.config.vision_config.image_size
    height, width = (size, size) if isinstance(size, int) else size
    photos = [{"pixel_values": _photos(number, height, width)} for number in BATCH_SIZES]
    image_side, texts = E2ImageSide(model), _e2_texts(model.config.text_config)
    free = {0: "batch"} if reads_full_length(model.config.text_config) else {0: "batch", 1: "sequence"}
    return [
        OnnxPart("vision_model", image_side, photos, {"pixel_values": {0: "batch"}}, image_side.outputs),
        OnnxPart("text_model", E2TextSide(model), texts, dict.fromkeys(texts[0], free), ("text_embeds",)),
    ]


def _e2_texts(text: PreTrainedConfig) -> list[dict[str, Tensor]]:
    """Tokens of every length that the text tower reads. Those of SigLIP's have no mask."""
    longest, generator, texts = num_positions(text) or LONG_TEXT, _generator(), []
    lengths = [longest] * 3 if reads_full_length(text) else (3, 5, min(longest, LONG_TEXT))
    for number, length in zip(BATCH_SIZES, lengths, strict=True):
        ids = torch.randint(text.vocab_size, (number, length), generator=generator)
        if text.model_type == "clip_text_model":
            ids[:, -1] = text.eos_token_id
        texts.append({"input_ids": ids} if reads_full_length(text) else {"input_ids": ids, "attention_mask": ids >= 0})
    return [{name: values.long() for name, values in tokens.items()} for tokens in texts]


def _attribute_parts(model: PreTrainedModel) -> list[OnnxPart]:
    edge, names = model.config.image_size, model.config.attribute_names
    examples = []
    for size, asked in zip(BATCH_SIZES, (3, 1, len(names)), strict=True):
        ids = torch.arange(size * asked).reshape(size, asked) % len(names)
        examples.append({"pixel_values": _photos(size, edge, edge), "attribute_ids": ids})
    dynamic = {"pixel_values": {0: "batch"}, "attribute_ids": {0: "batch", 1: "num_attributes"}}
    if model.region_backbone is not None:
        for example, wider in zip(examples, (edge // 4, 0, edge), strict=True):
            example |= _sources(len(example["pixel_values"]), edge, edge + wider)
        dynamic |= {"source_pixel_values": {0: "batch", 2: "height", 3: "width"}, "source_sizes": {0: "batch"}}
    with torch.no_grad():
        found = model(**examples[0], return_dict=True)
    outputs = tuple(name for name in ("attribute_embeds", "attention_maps", "boxes") if name in found)
    return [OnnxPart("model", AttributePhotos(model, outputs), examples, dynamic, outputs)]


def _reasoning_parts(model: PreTrainedModel) -> list[OnnxPart]:
    """FR's lists have copies, which it keeps in their order, and places without a candidate."""
    most, generator, examples = model.config.num_candidates, _generator(), []
    for size, number, width in zip(BATCH_SIZES, (min(most, 4), min(most, 5), most), (8, 4, 16), strict=True):
        candidates = torch.randn(size, number, width, generator=generator)
        candidates[:, 1:3] = candidates[:, :1]
        query = candidates[:, 0] + torch.randn(size, width, generator=generator)
        mask = torch.ones(size, number, dtype=torch.bool)
        mask[-1, number - number // 3 :] = False
        examples.append({"query_embeds": query, "candidate_embeds": candidates, "candidate_mask": mask})
    dynamic = {
        "query_embeds": {0: "batch", 1: "dimension"},
        "candidate_embeds": {0: "batch", 1: "num_candidates", 2: "dimension"},
        "candidate_mask": {0: "batch", 1: "num_candidates"},
    }
    return [OnnxPart("model", FeatureReasoningScores(model), examples, dynamic, ("scores",))]


def _photos(size: int, height: int, width: int) -> Tensor:
    return torch.randn(size, 3, height, width, generator=_generator())


def _sources(size: int, height: int, width: int) -> dict[str, Tensor]:
    """Return photos before their centre crop, as the image processor gives them."""
    sizes = torch.tensor([height, width]).repeat(size, 1)
    return {"source_pixel_values": torch.randn(size, 3, height, width, generator=_generator()), "source_sizes": sizes}


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


_PARTS: dict[str, Callable[[PreTrainedModel], list[OnnxPart]]] = {
    "attribute": _attribute_parts,
    "feature_reasoning": _reasoning_parts,
}
