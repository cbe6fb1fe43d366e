"""Convert a checkpoint of RPF's authors (Wang et al., SIGIR 2023), or of IPAD's, to a folder of an IpadModel.

    python -m hf_fashion.models.attribute.convert_original_rpf checkpoint.safetensors OUTPUT_DIR \
        --attribute_names skirt_length_labels sleeve_length_labels ...

The releases save pickles, which can run code when read. Resave the weights of one where you trust it, with
`safetensors.torch.save_file(torch.load(path, weights_only=True)["model"], "checkpoint.safetensors")`.
"""

import argparse
import re
from collections.abc import Mapping, Sequence

import torch
from safetensors.torch import load_file

from .configuration_ipad import IpadConfig
from .convert_resnet import convert_resnet_weights, infer_resnet_config
from .image_processing_attribute import AttributeImageProcessorPil
from .modeling_ipad import IpadModel


# Prefixes of the releases' parts.
_TABLE, _BACKBONE = "choices.global.attrnet.attr_embedding.weight", "choices.global.basenet."
_REGION, _PATCH = "choices.global.attnnet.", "choices.local.basenet."
# IPAD's release has value classifiers for its training, and a layer that nothing calls.
_UNUSED = re.compile(r"(vmlp|vembed|vcrossencoder)\.|choices\.global\.attnnet\.fc_adapter\.")

_REGION_NAMES = {
    "attr_transform1": "spatial_attention.attribute_projection",
    "conv": "spatial_attention.image_projection",
    "attr_transform2": "channel_gate.attribute_projection",
    "fc1": "channel_gate.fc1",
    "fc2": "channel_gate.fc2",
    "feature_fc": "projection",
    "x_layer_norm": "map_norm",
    "a_layer_norm": "attribute_norm",
    "mlp_layer_norm": "head.layer_norm",
    "mlp.fc1": "head.fc1",
    "mlp.fc2": "head.fc2",
}
_PATCH_NAMES = {
    "embeddings.patch_embeddings": "vit.embeddings.patch_embeddings.projection",
    "attr2query": "attribute_projection",
    "crossencoder.cross_attention_norm": "cross_attention_norm",
    "crossencoder.fc": "projection",
    "crossencoder.ffn.fc1": "fc1",
    "crossencoder.ffn.fc2": "fc2",
    "crossencoder.ffn_norm": "ffn_norm",
    "norm": "final_norm",
}
_ATTENTION_NAMES = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "o_proj"}
_LAYER_NAMES = {
    "attention_norm": "layernorm_before",
    "ffn_norm": "layernorm_after",
    "ffn.fc1": "mlp.fc1",
    "ffn.fc2": "mlp.fc2",
} | {f"attn.{old}": f"attention.{new}" for old, new in _ATTENTION_NAMES.items()}
_PATCH_NAMES |= {f"crossencoder.cross_attn.{old}": f"cross_attention.{new}" for old, new in _ATTENTION_NAMES.items()}
_PATCH_PARAMETERS = {
    "type_embed": "type_embeddings.weight",
    "embeddings.cls_token": "vit.embeddings.cls_token",
    "embeddings.position_embeddings": "vit.embeddings.position_embeddings",
}


def convert_region_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Convert weights of a published region branch to those of `IpadPositioning`.

    Args:
        weights (`dict[str, torch.Tensor]`): named `conv.weight`, `x_layer_norm.weight`, `mlp.fc1.weight`...

    Raises:
        ValueError: if a tensor is not known.
    """
    return {_renamed(name, _REGION_NAMES): tensor for name, tensor in weights.items()}


def convert_patch_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Convert weights of a published patch branch to those of `IpadSemantics`.

    Args:
        weights (`dict[str, torch.Tensor]`): named `encoder.layer.0.attn.query.weight`, `crossencoder.fc.weight`...

    Raises:
        ValueError: if a tensor is not known.
    """
    converted = {}
    for name, tensor in weights.items():
        if match := re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)", name):
            converted[f"vit.layers.{match[1]}.{_renamed(match[2], _LAYER_NAMES)}"] = tensor
        elif name in _PATCH_PARAMETERS:
            converted[_PATCH_PARAMETERS[name]] = tensor[0] if name == "type_embed" else tensor
        else:
            converted[_renamed(name, _PATCH_NAMES)] = tensor
    return converted


def _renamed(name: str, names: Mapping[str, str]) -> str:
    module, _, kind = name.rpartition(".")
    if module not in names:
        raise ValueError(f'Unknown tensor in the checkpoint: "{name}"; known here are {sorted(names)}.')
    return f"{names[module]}.{kind}"


def convert_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Convert a published checkpoint of the first stage (region branch) or the second to weights of [`IpadModel`].

    Args:
        weights (`dict[str, torch.Tensor]`): named `choices.global.*` and, in the second stage, `choices.local.*`.

    Raises:
        ValueError: if a tensor is not known.
    """
    weights = {name: tensor for name, tensor in weights.items() if not _UNUSED.match(name)}
    parts = {
        "backbone.": convert_resnet_weights(_part(weights, _BACKBONE)),
        "positioning.": convert_region_weights(_part(weights, _REGION)),
        "semantics.": convert_patch_weights(_part(weights, _PATCH)),
    }
    unknown = [name for name in weights if name != _TABLE and not name.startswith((_BACKBONE, _REGION, _PATCH))]
    if unknown:
        raise ValueError(f"Unknown tensors in the checkpoint: {sorted(unknown)}.")
    converted = {prefix + name: tensor for prefix, part in parts.items() for name, tensor in part.items()}
    return converted | {"attribute_embedding.weight": weights[_TABLE]}


def _part(weights: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}


def infer_config(
    weights: Mapping[str, torch.Tensor],
    attribute_names: Sequence[str],
    num_attention_heads: int | None = None,
    region_size: int = 224,
    **kwargs,
) -> IpadConfig:
    """Infer the configuration from a published checkpoint: RPF's, or IPAD's where there is a channel gate.

    Args:
        weights (`dict[str, torch.Tensor]`): the checkpoint.
        attribute_names (`list[str]`): names of the attributes in the order of the release's configuration.
        num_attention_heads (`int`, *optional*): heads of the patch branch, which its weights do not tell. Default: one
            for every 64 of the width, as in every ViT of the original paper's sizes.
        region_size (`int`): edge of the regions that the patch branch sees, which its weights do not tell either. With
            it the number of position embeddings tells how far apart patches are.
        kwargs (`dict`, *optional*): fields of [`IpadConfig`] that no weight tells, such as `attribute_values`.

    Raises:
        ValueError: if there are not as many names as the checkpoint has attributes, or no distance of patches, or more
            than one, gives as many position embeddings as there are.
    """
    region, patch = _part(weights, _REGION), _part(weights, _PATCH)
    if len(attribute_names) != len(weights[_TABLE]):
        raise ValueError(
            f"`attribute_names` must name the {len(weights[_TABLE])} attributes of the checkpoint; got "
            f"{list(attribute_names)}."
        )
    embedding_dim = len(region["feature_fc.weight"])
    has_gate, has_spatial = "attr_transform2.weight" in region, "conv.weight" in region
    fields = {
        "attribute_names": list(attribute_names),
        "backbone_config": infer_resnet_config(_part(weights, _BACKBONE)),
        "variant": "published",
        "suppression": "adaptive" if has_gate and has_spatial else "none",
        "use_spatial_attention": has_spatial,
        "use_channel_attention": has_gate,
        "use_semantic_branch": bool(patch),
        "published_boxes": True,
        "attribute_dim": weights[_TABLE].shape[1],
        "embedding_dim": embedding_dim,
        "reduction": embedding_dim // len(region["mlp.fc1.weight"]),
    }
    if has_spatial:
        fields["attention_dim"] = len(region["conv.weight"])
    if patch:
        vit = _infer_vit_fields(patch)
        heads = num_attention_heads or max(1, vit["hidden_size"] // 64)
        fields["vit_config"] = vit | {"num_attention_heads": heads, "image_size": region_size}
        if "vit_patch_stride" not in kwargs:
            number = patch["embeddings.position_embeddings"].shape[1] - 1
            fields["vit_patch_stride"] = infer_patch_stride(number, vit["patch_size"], region_size)
    return IpadConfig(**(fields | kwargs))


def infer_patch_stride(number: int, patch_size: int, region_size: int) -> int | None:
    """Infer how far apart patches are from how many there are.

    Args:
        number (`int`): patches of a region.
        patch_size (`int`): edge of a patch.
        region_size (`int`): edge of a region.

    Returns:
        `int` or `None`: pixels from one patch to the next; `None` where patches do not overlap.

    Raises:
        ValueError: if no distance without gaps gives that number, or several do.
    """
    if (region_size // patch_size) ** 2 == number and region_size % patch_size == 0:
        return None
    strides = range(1, patch_size + 1)
    fitting = [stride for stride in strides if ((region_size - patch_size) // stride + 1) ** 2 == number]
    if len(fitting) != 1:
        raise ValueError(
            f"The checkpoint has {number} patches of {patch_size} pixels, and regions of {region_size} pixels hold "
            f"that many at a distance of {fitting or 'no number of'} pixels. Give the `region_size` of the release's "
            "recipe (and `vit_patch_stride`, where several fit)."
        )
    return fitting[0]


def _infer_vit_fields(patch: Mapping[str, torch.Tensor]) -> dict[str, int]:
    width, channels, patch_size, _ = patch["embeddings.patch_embeddings.weight"].shape
    return {
        "hidden_size": width,
        "num_channels": channels,
        "num_hidden_layers": sum(name.endswith(".attention_norm.weight") for name in patch),
        "intermediate_size": len(patch["encoder.layer.0.ffn.fc1.weight"]),
        "patch_size": patch_size,
    }


def convert_model(weights: Mapping[str, torch.Tensor], attribute_names: Sequence[str], **kwargs) -> IpadModel:
    """Convert published weights to an [`IpadModel`].

    Args:
        weights (`dict[str, torch.Tensor]`): the checkpoint.
        attribute_names (`list[str]`): names of the attributes in the order of the release's configuration.
        kwargs (`dict`, *optional*): as in [`infer_config`].
    """
    model = IpadModel(infer_config(weights, attribute_names, **kwargs))
    model.load_state_dict(convert_weights(weights))
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="safetensors file with the published names")
    parser.add_argument("output_dir", help="folder for model and image processor")
    parser.add_argument("--attribute_names", nargs="+", required=True, help="in the order of the release's recipe")
    parser.add_argument("--beta", type=float, default=0.3, help="weight of the region branch; RPF's recipes have 0.3")
    parser.add_argument("--region_size", type=int, default=224, help="edge of the regions, 224 in RPF's recipes")
    parser.add_argument("--num_attention_heads", type=int, help="of the patch branch; default: one for every 64")
    arguments = parser.parse_args()

    fields = {name: getattr(arguments, name) for name in ("beta", "region_size", "num_attention_heads")}
    model = convert_model(load_file(arguments.checkpoint), arguments.attribute_names, **fields)
    size = model.config.image_size
    processor = AttributeImageProcessorPil(
        size={"shortest_edge": size}, crop_size={"height": size, "width": size}, do_source=True
    )
    model.save_pretrained(arguments.output_dir)
    processor.save_pretrained(arguments.output_dir)


if __name__ == "__main__":
    main()
