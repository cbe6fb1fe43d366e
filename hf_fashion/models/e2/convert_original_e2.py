"""Convert a checkpoint of the authors' release to a folder of an E2Model.

    python -m hf_fashion.models.e2.convert_original_e2 checkpoint.safetensors OUTPUT_DIR --clip CLIP_ID_OR_FOLDER

The release saves pickles, which can run code when read. Resave one where you trust it, with
`safetensors.torch.save_file(torch.load(path, weights_only=True), "checkpoint.safetensors")`.
"""

import argparse
import re
from collections.abc import Mapping, Sequence

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from .configuration_e2 import E2Config, E2VisionConfig
from .image_processing_e2 import E2ImageProcessorPil
from .modeling_e2 import E2Model, E2VisionModel
from .processing_e2 import E2Processor


# In the release's order: the region heads 1..4.
PUBLISHED_ENTITIES = ("composition", "sub_category", "brand", "season")
PUBLISHED_FUSION_LAYERS = (8, 11)

# Parameters of the release that its forward pass does not use; the class token goes through `proj_cls`, not `proj`.
_UNUSED = re.compile(r"visual\.(proj|proj_cls_mid|ln_selection\.(weight|bias))$")

_LAYER_NAMES = {
    "attn.out_proj": "self_attn.out_proj",
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}


def convert_vision_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Convert published weights to those of an [`E2VisionModel`].

    Args:
        weights (`dict[str, torch.Tensor]`): tensors named `visual.*`; others are left out.

    Returns:
        `dict[str, torch.Tensor]`: in the names of [`E2VisionModel`].

    Raises:
        ValueError: if a tensor named `visual.*` is not known.
    """
    tower = {name.removeprefix("visual."): t for name, t in weights.items() if name.startswith("visual.")}
    tower = {name: tensor for name, tensor in tower.items() if not _UNUSED.match(f"visual.{name}")}
    converted = {
        "vision_model.embeddings.class_embedding": tower.pop("class_embedding"),
        "vision_model.embeddings.patch_embedding.weight": tower.pop("conv1.weight"),
        "vision_model.embeddings.position_embedding.weight": tower.pop("positional_embedding"),
        "vision_model.selection_tokens.weight": _pop_tokens(tower),
        "visual_projection.weight": tower.pop("proj_cls").T,
    }
    for block, suffix in enumerate(["", "2"]):
        for kind in "qkv":  # the release multiplies by these from the right
            name = f"vision_model.encoder.fusion_blocks.{block}.{kind}_proj.weight"
            converted[name] = tower.pop(f"proj_{kind}{suffix}").T
    for entity in range(sum(name.startswith("proj_s") for name in tower)):
        converted[f"region_head.projections.{entity}.weight"] = tower.pop(f"proj_s{entity + 1}").T
        for part in ("weight", "bias"):
            converted[f"region_head.layer_norms.{entity}.{part}"] = tower.pop(f"ln_s{entity + 1}.{part}")
    for part in ("weight", "bias"):
        converted[f"vision_model.pre_layrnorm.{part}"] = tower.pop(f"ln_pre.{part}")
        converted[f"vision_model.post_layernorm.{part}"] = tower.pop(f"ln_post.{part}")
    converted |= _pop_layers(tower, "vision_model.encoder.layers")
    if tower:
        raise ValueError(f"Unknown tensors in the checkpoint: {sorted(f'visual.{name}' for name in tower)}.")
    return {name: tensor.contiguous() for name, tensor in converted.items()}


def convert_text_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Convert published weights (CLIP's original names) to those of [`E2Model`]'s text tower and temperature."""
    text = {name: tensor for name, tensor in weights.items() if not name.startswith("visual.")}
    converted = {
        "text_model.embeddings.token_embedding.weight": text["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": text["positional_embedding"],
        "text_model.final_layer_norm.weight": text["ln_final.weight"],
        "text_model.final_layer_norm.bias": text["ln_final.bias"],
        "text_projection.weight": text["text_projection"].T,
        "logit_scale": text["logit_scale"],
    }
    converted |= _pop_layers(text, "text_model.encoder.layers")
    return {name: tensor.contiguous() for name, tensor in converted.items()}


def infer_vision_config(
    weights: Mapping[str, torch.Tensor],
    tag_entities: Sequence[str] = PUBLISHED_ENTITIES,
    num_attention_heads: int | None = None,
    last_entity_pools_one_token: bool = True,
) -> E2VisionConfig:
    """Infer the configuration from published weights.

    Args:
        weights (`dict[str, torch.Tensor]`): published tensors.
        tag_entities (`list[str]`): names for the region heads 1, 2, ...
        num_attention_heads (`int`, *optional*): default: one for every 64 of the width, as in CLIP.
        last_entity_pools_one_token (`bool`): give the numbers of the release, whose last entity loses a token.
    """
    width, _, patch_size, _ = weights["visual.conv1.weight"].shape
    tokens = sum(re.fullmatch(r"visual\.token_\d+_embedding", name) is not None for name in weights)
    grid = round((weights["visual.positional_embedding"].shape[0] - 1) ** 0.5)
    return E2VisionConfig(
        hidden_size=width,
        intermediate_size=weights["visual.transformer.resblocks.0.mlp.c_fc.weight"].shape[0],
        num_hidden_layers=_count_layers(weights, "visual.transformer.resblocks."),
        num_attention_heads=num_attention_heads or width // 64,
        patch_size=patch_size,
        image_size=grid * patch_size,
        projection_dim=weights["visual.proj_cls"].shape[1],
        tag_entities=list(tag_entities),
        tokens_per_entity=tokens // len(tag_entities),
        fusion_layers=list(PUBLISHED_FUSION_LAYERS),
        last_entity_pools_one_token=last_entity_pools_one_token,
    )


def convert_vision_model(weights: Mapping[str, torch.Tensor], **kwargs) -> E2VisionModel:
    """Convert published weights to an [`E2VisionModel`]; `kwargs` as in [`infer_vision_config`]."""
    model = E2VisionModel(infer_vision_config(weights, **kwargs))
    model.load_state_dict(convert_vision_weights(weights))
    return model.eval()


def convert_model(weights: Mapping[str, torch.Tensor], **kwargs) -> E2Model:
    """Convert published weights to an [`E2Model`]; `kwargs` as in [`infer_vision_config`]."""
    vision = infer_vision_config(weights, **kwargs)
    vocab_size, width = weights["token_embedding.weight"].shape
    text = {
        "vocab_size": vocab_size,
        "hidden_size": width,
        "intermediate_size": weights["transformer.resblocks.0.mlp.c_fc.weight"].shape[0],
        "num_hidden_layers": _count_layers(weights, "transformer.resblocks."),
        "num_attention_heads": max(1, width // 64),
        "max_position_embeddings": weights["positional_embedding"].shape[0],
        "bos_token_id": vocab_size - 2,
        "eos_token_id": vocab_size - 1,
    }
    model = E2Model(E2Config(text_config=text, vision_config=vision, projection_dim=vision.projection_dim))
    model.load_state_dict(convert_vision_weights(weights) | convert_text_weights(weights))
    return model.eval()


def _pop_tokens(tower: dict[str, torch.Tensor]) -> torch.Tensor:
    numbers = sorted(int(name.split("_")[1]) for name in tower if re.fullmatch(r"token_\d+_embedding", name))
    # The release stacks the tokens in front of the class token with the highest number first.
    return torch.stack([tower.pop(f"token_{number}_embedding") for number in reversed(numbers)])


def _count_layers(weights: Mapping[str, torch.Tensor], prefix: str) -> int:
    return len({name[len(prefix) :].split(".")[0] for name in weights if name.startswith(prefix)})


def _pop_layers(weights: dict[str, torch.Tensor], target: str) -> dict[str, torch.Tensor]:
    converted = {}
    for name in [name for name in weights if name.startswith("transformer.resblocks.")]:
        tensor = weights.pop(name)
        number, part = name.removeprefix("transformer.resblocks.").split(".", 1)
        kind = part.rsplit("_" if "in_proj" in part else ".", 1)[1]
        if part.startswith("attn.in_proj"):
            for projection, chunk in zip("qkv", tensor.chunk(3), strict=True):
                converted[f"{target}.{number}.self_attn.{projection}_proj.{kind}"] = chunk
        else:
            converted[f"{target}.{number}.{_LAYER_NAMES[part.rsplit('.', 1)[0]]}.{kind}"] = tensor
    return converted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="safetensors file with the published names")
    parser.add_argument("output_dir", help="folder for model and processor")
    parser.add_argument("--clip", required=True, help="CLIP whose tokenizer the release uses: folder or Hub id")
    parser.add_argument("--tag_entities", nargs="+", default=list(PUBLISHED_ENTITIES))
    parser.add_argument("--all_tokens", action="store_true", help="pool the last entity over all of its tokens")
    arguments = parser.parse_args()

    model = convert_model(
        load_file(arguments.checkpoint),
        tag_entities=arguments.tag_entities,
        last_entity_pools_one_token=not arguments.all_tokens,
    )
    size = model.config.vision_config.image_size
    images = E2ImageProcessorPil(size={"shortest_edge": size}, crop_size={"height": size, "width": size})
    tokenizer = AutoTokenizer.from_pretrained(arguments.clip)
    model.save_pretrained(arguments.output_dir)
    E2Processor(images, tokenizer, arguments.tag_entities, compose_text=True).save_pretrained(arguments.output_dir)


if __name__ == "__main__":
    main()
