"""Convert a checkpoint of the authors' releases of ASEN (both versions) or ASEN++ to a folder of an AsenModel.

    python -m hf_fashion.models.attribute.convert_original_asen checkpoint.safetensors OUTPUT_DIR \\
        --attribute_names skirt_length sleeve_length ... --global_branch choices.global. --local_branch choices.local.

The releases save pickles, which can run code when read. Resave one where you trust it, with
`safetensors.torch.save_file(torch.load(path, weights_only=True)["state_dict"], "checkpoint.safetensors")`.
"""

import argparse
from collections.abc import Mapping, Sequence

import torch
from safetensors.torch import load_file
from torch import nn

from .configuration_asen import AsenConfig
from .convert_resnet import convert_resnet_weights, infer_resnet_config
from .image_processing_attribute import AttributeImageProcessorPil
from .modeling_asen import AsenModel


Weights = Mapping[str, torch.Tensor]

# Parts of torchvision's ResNet whose output the models do not use.
_UNUSED = ("layer4.", "fc.")

_HEAD_NAMES = {
    "plus": {"conv": "spatial_attention.image_projection", "feature_fc": "projection"},
    "v1": {
        "conv1": "spatial_attention.image_projection",
        "conv2": "spatial_attention.channel_weights",
        "feature_fc": "projection",
    },
    "v2": {"conv1": "spatial_attention.image_projection", "img_bn1": "spatial_attention.image_norm"},
}
_SHARED_HEAD_NAMES = {
    "attr_transform1": "spatial_attention.attribute_projection",
    "attr_transform2": "channel_gate.attribute_projection",
    "fc1": "channel_gate.fc1",
    "fc2": "channel_gate.fc2",
}


_V1_MASKS = {"mask_fc1.weight": "attr_transform1", "mask_fc2.weight": "attr_transform2"}
# A tensor that tells a head from a backbone: of the channel gate, else of the spatial attention.
_HEAD_MARKS = ("fc2.weight", "attr_transform1.weight", "mask_fc1.weight")


def head_variant(head: Weights) -> str:
    """Return the release that a head comes from.

    Args:
        head (`dict[str, torch.Tensor]`): tensors of a head, such as `fc1.weight`.

    Returns:
        `str`: `"v1"`, `"v2"` or `"plus"`, as `attention_variant` of [`AsenConfig`].
    """
    if "mask_fc1.weight" in head or "mask_fc2.weight" in head:
        return "v1"
    return "v2" if "img_bn1.weight" in head else "plus"


def convert_head_weights(head: Weights) -> tuple[dict[str, torch.Tensor], torch.Tensor | None]:
    """Convert published weights to those of an `AsenHead`.

    The first release has no attribute table: it reads columns of two matrices. Its table becomes the unit vectors,
    padded to the width of the gate, so that both matrices stay as they are.

    Args:
        head (`dict[str, torch.Tensor]`): tensors of one head under their published names.

    Returns:
        `tuple[dict[str, torch.Tensor], torch.Tensor | None]`: tensors in our names, and the attribute table (A, P)
        where the head holds it.

    Raises:
        ValueError: if a tensor is not known.
    """
    variant = head_variant(head)
    rest = _with_attribute_table(head) if variant == "v1" else dict(head)
    table = rest.pop("attr_embedding.weight", None)
    names = _HEAD_NAMES[variant] | _SHARED_HEAD_NAMES
    unknown = sorted(name for name in rest if name.rsplit(".", 1)[0] not in names)
    if unknown:
        raise ValueError(f"Unknown tensors in the head of the checkpoint: {unknown}.")
    converted = {}
    for name, tensor in rest.items():
        module, kind = name.rsplit(".", 1)
        converted[f"{names[module]}.{kind}"] = tensor
    name = "spatial_attention.channel_weights.weight"
    if name in converted:
        converted[name] = converted[name].squeeze(-1)  # (1, c, 1, 1)
    return converted, table


def _with_attribute_table(head: Weights) -> dict[str, torch.Tensor]:
    head = dict(head)
    matrices = {ours: head.pop(name) for name, ours in _V1_MASKS.items() if name in head}  # (c, A), (P, A)
    number = next(iter(matrices.values())).shape[1]
    width = len(matrices["attr_transform2"]) if "attr_transform2" in matrices else number
    for ours, matrix in matrices.items():
        head[f"{ours}.weight"] = nn.functional.pad(matrix, (0, width - number))
        head[f"{ours}.bias"] = matrix.new_zeros(len(matrix))
    return head | {"attr_embedding.weight": torch.eye(number, width, dtype=matrix.dtype)}


def _split(weights: Weights, prefixes: Sequence[str]) -> list[dict[str, torch.Tensor]]:
    """Split tensors by prefix; a name goes to the longest prefix that it begins with."""
    parts = {prefix: {} for prefix in prefixes}
    for name, tensor in weights.items():
        owner = max((prefix for prefix in prefixes if name.startswith(prefix)), key=len, default=None)
        if owner is None:
            raise ValueError(f"Tensor {name!r} of the checkpoint belongs to none of the parts {list(prefixes)}.")
        parts[owner][name.removeprefix(owner)] = tensor
    return list(parts.values())


def _prefix_of(weights: Weights, *endings: str) -> str:
    """Return the prefix of the one name that is an ending or ends with a dot and it; the first ending counts."""
    for ending in endings:
        found = [n.removesuffix(ending) for n in weights if n == ending or n.endswith(f".{ending}")]
        if len(found) == 1:
            return found[0]
        if found:
            break
    raise ValueError(
        f"A branch must hold one {' or '.join(map(repr, endings))}; the checkpoint has {ending!r} under {found}. Name "
        "the branches by `global_branch` and `local_branch`."
    )


def _head_and_resnet(branch: Weights) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    head, resnet = _split(branch, [_prefix_of(branch, *_HEAD_MARKS), _prefix_of(branch, "layer1.0.conv1.weight")])
    return head, {name: tensor for name, tensor in resnet.items() if not name.startswith(_UNUSED)}


def _branches(weights: Weights, global_branch: str, local_branch: str | None) -> tuple[list[dict], list[torch.Tensor]]:
    """Return the tensors of each branch, and the attribute tables of the checkpoint."""
    rest = dict(weights)
    tables = [rest.pop(name) for name in weights if name.endswith("attr_embedding.weight")]
    return _split(rest, [global_branch] if local_branch is None else [global_branch, local_branch]), tables


def convert_weights(
    weights: Weights, global_branch: str = "", local_branch: str | None = None
) -> dict[str, torch.Tensor]:
    """Convert published weights to those of an [`AsenModel`].

    Args:
        weights (`dict[str, torch.Tensor]`): a checkpoint: each branch a torchvision ResNet and a head, whose own names
            may have any prefix, and the attribute table.
        global_branch (`str`): what the names of the global branch begin with.
        local_branch (`str`, *optional*): what the names of the local branch begin with; `None` = there is none.

    Returns:
        `dict[str, torch.Tensor]`: in the names of [`AsenModel`].

    Raises:
        ValueError: if a tensor is missing or not known, or the branches have different attribute tables.
    """
    branches, tables = _branches(weights, global_branch, local_branch)
    converted = {}
    for name, branch in zip(("global_branch", "local_branch"), branches, strict=False):
        head, resnet = _head_and_resnet(branch)
        head, table = convert_head_weights(head)
        tables += [] if table is None else [table]
        converted |= {f"{name}.head.{key}": tensor for key, tensor in head.items()}
        converted |= {f"{name}.backbone.{key}": tensor for key, tensor in convert_resnet_weights(resnet).items()}
    if not tables or any(not torch.equal(table, tables[0]) for table in tables):
        raise ValueError(f"The branches must share one `attr_embedding.weight`; got {len(tables)}, not all equal.")
    converted["attribute_embedding.weight"] = tables[0]
    for name in [name for name in converted if name.endswith("running_mean")]:
        counter = name.replace("running_mean", "num_batches_tracked")  # older torch did not save it
        converted.setdefault(counter, torch.tensor(0))
    return {name: tensor.contiguous() for name, tensor in converted.items()}


def infer_config(
    weights: Weights,
    attribute_names: Sequence[str],
    global_branch: str = "",
    local_branch: str | None = None,
    **kwargs,
) -> AsenConfig:
    """Infer the configuration from published weights.

    Args:
        weights (`dict[str, torch.Tensor]`): a checkpoint, as for `convert_weights`.
        attribute_names (`list[str]`): names of the attributes, in the order of the checkpoint's table.
        global_branch (`str`): what the names of the global branch begin with.
        local_branch (`str`, *optional*): what the names of the local branch begin with; `None` = there is none.
        kwargs (`dict`, *optional*): other fields of [`AsenConfig`], such as `attribute_values`.

    Raises:
        ValueError: if the number of names is not that of the table's rows.
    """
    table = convert_weights(weights, global_branch, local_branch)["attribute_embedding.weight"]
    if len(table) != len(attribute_names):
        raise ValueError(
            f"`attribute_names` must have as many names as the checkpoint has attributes, {len(table)}; got "
            f"{len(attribute_names)}: {list(attribute_names)}."
        )
    branches, _ = _branches(weights, global_branch, local_branch)
    (head, resnet), *local = [_head_and_resnet(branch) for branch in branches]
    fields = {
        "attribute_names": list(attribute_names),
        "backbone_config": infer_resnet_config(resnet),
        "attention_variant": head_variant(head),
        "attribute_dim": table.shape[1],
        "embedding_dim": len(head["feature_fc.weight"]) if "feature_fc.weight" in head else None,
        "published_boxes": True,
    }
    fields |= _attention_fields(head)
    for local_head, local_resnet in local:
        local_fields = _attention_fields(local_head)
        _check_same_parts(fields, local_fields)
        fields["local_backbone_config"] = infer_resnet_config(local_resnet)
        if "attention_dim" in local_fields:
            fields["local_attention_dim"] = local_fields["attention_dim"]
    return AsenConfig(**(fields | kwargs))


def _attention_fields(head: Weights) -> dict[str, int | bool]:
    """Which kinds of attention a head has, and their sizes."""
    spatial = next((head[name] for name in ("attr_transform1.weight", "mask_fc1.weight") if name in head), None)
    gate = head.get("fc2.weight")
    fields = {"use_spatial_attention": spatial is not None, "use_channel_attention": gate is not None}
    if spatial is not None:
        fields["attention_dim"] = len(spatial)
    if gate is not None:
        fields["reduction"] = len(gate) // gate.shape[1]
    return fields


def _check_same_parts(fields: Mapping[str, int | bool], local_fields: Mapping[str, int | bool]) -> None:
    """Raise if one branch has a kind of attention that the other lacks, or gates of other proportions."""
    for name in ("use_spatial_attention", "use_channel_attention", "reduction"):
        if fields.get(name) != local_fields.get(name):
            raise ValueError(
                f"Both branches must have one `{name}`; the global one has {fields.get(name)} and the local one "
                f"{local_fields.get(name)}."
            )


def convert_model(
    weights: Weights,
    attribute_names: Sequence[str],
    global_branch: str = "",
    local_branch: str | None = None,
    **kwargs,
) -> AsenModel:
    """Convert published weights to an [`AsenModel`]; arguments as in `infer_config`."""
    model = AsenModel(infer_config(weights, attribute_names, global_branch, local_branch, **kwargs))
    model.load_state_dict(convert_weights(weights, global_branch, local_branch))
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", help="safetensors file with the published names")
    parser.add_argument("output_dir", help="folder for model and image processor")
    parser.add_argument("--attribute_names", nargs="+", required=True, help="in the order of the checkpoint")
    parser.add_argument("--global_branch", default="", help="what the names of the global branch begin with")
    parser.add_argument("--local_branch", help="what the names of the local branch begin with")
    arguments = parser.parse_args()

    weights = load_file(arguments.checkpoint)
    model = convert_model(weights, arguments.attribute_names, arguments.global_branch, arguments.local_branch)
    model.save_pretrained(arguments.output_dir)
    # The local branch's regions are cut from the photo, not from what the global branch sees of it.
    AttributeImageProcessorPil(do_source=model.local_branch is not None).save_pretrained(arguments.output_dir)


if __name__ == "__main__":
    main()
