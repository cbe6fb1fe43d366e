"""The first layers of a vision tower: frozen, and skipped where a batch holds their outputs."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ...models.e2.towers_e2 import embed_patches, rotary_positions, tower_family


CLIP_TOWERS = ("clip_vision_model", "e2_vision_model")
# Of the two configurations of a CLIP's tower, what its layers compute with: E2 and its baseline share a cache.
CLIP_FIELDS = ("hidden_act", "layer_norm_eps", "num_attention_heads", "image_size", "patch_size")
# Of a configuration: the checkpoint that it was read from, and nothing that is computed with.
PROVENANCE = ("_name_or_path", "architectures", "dtype", "transformers_version")


class FrozenLayers:
    """Freeze the first layers of a model's vision tower, embeddings included, and start from their outputs.

    Args:
        model (`PreTrainedModel`): a model whose `vision_model` is CLIP's, E2's, or of a family in `TOWER_FAMILIES`.
        number (`int`): how many layers, counted from the embeddings.
        photo_size (`tuple[int, int]`): height and width of its photos.

    Raises:
        ValueError: if the tower is of another family or has no more layers than that, or an E2's selection tokens
            enter before one of them.
    """

    def __init__(self, model: PreTrainedModel, number: int, photo_size: tuple[int, int]):
        self.tower = getattr(model.vision_model, "tower", model.vision_model)
        self.is_clip = self.tower.config.model_type in CLIP_TOWERS
        family = None if self.is_clip else tower_family(self.tower.config)
        layers = self.tower.get_submodule("encoder.layers" if self.is_clip else family.layers)
        _require_room_above(model, number, len(layers))
        self.layers, self.photo_size = list(layers[:number]), tuple(photo_size)
        self.rotary = not self.is_clip and family.rotary

    def _modules(self) -> list[nn.Module]:
        return [self.tower.embeddings, *([self.tower.pre_layrnorm] if self.is_clip else []), *self.layers]

    def freeze(self) -> None:
        """Freeze the layers and what is in front of them."""
        for module in self._modules():
            module.requires_grad_(False)

    @torch.no_grad()
    def run(self, pixel_values: Tensor) -> Tensor:
        """Return the outputs of the last of these layers, without dropout.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, H, W)`): images from the image processor.

        Returns:
            `torch.Tensor` of shape `(B, L, D)`: all tokens that a tower without selection tokens has.
        """
        training = self.tower.training
        self.tower.eval()
        pixel_values, positions = pixel_values.to(self.tower.device), {}
        if self.is_clip:
            states = self.tower.pre_layrnorm(self.tower.embeddings(pixel_values))
        else:
            states = embed_patches(self.tower, pixel_values, interpolate_pos_encoding=False)
            positions = rotary_positions(self.tower, pixel_values)
        for layer in self.layers:
            states = layer(states, None, **positions)
        self.tower.train(training)
        return states

    @contextmanager
    def skipped(self) -> Iterator[None]:
        """Let the model take outputs of [`FrozenLayers.run`] in place of `pixel_values`, within the block."""
        states: list[Tensor] = []

        def start(outputs: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            states[:] = [outputs]
            return outputs

        # An E2 normalises its selection tokens with CLIP's layer norm, so that one is called; its result is passed by.
        replaced = dict.fromkeys(self.layers, lambda *args, **kwargs: states[0]) | {self.tower.embeddings: start}
        if self.rotary:
            replaced[self.tower.rope_embeddings] = self._positions
        try:
            for module, forward in replaced.items():
                module.forward = forward
            yield
        finally:
            for module in replaced:
                vars(module).pop("forward", None)

    def _positions(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return the rotary positions of the photos, of whose pixels only the shape is needed."""
        rope = self.tower.rope_embeddings
        return type(rope).forward(rope, states.new_empty(0, 3, *self.photo_size))

    def fingerprint(self) -> str:
        """Return a hash of what decides the outputs: weights of the layers, and fields of their configuration."""
        fields = self.tower.config.to_dict()
        kept = CLIP_FIELDS if self.is_clip else sorted(set(fields) - set(PROVENANCE))
        settings = [self.is_clip, len(self.layers), {name: fields[name] for name in kept}]
        digest = hashlib.sha256(json.dumps(settings, default=str, sort_keys=True).encode())
        for module in self._modules():
            for name, tensor in module.state_dict().items():
                digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
                digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return digest.hexdigest()


def _require_room_above(model: PreTrainedModel, number: int, depth: int) -> None:
    if not 1 <= number < depth:
        raise ValueError(
            f"`model.freeze_layers` must be within 1..{depth - 1}, so that at least one of the tower's {depth} layers "
            f"is trained; got {number}."
        )
    first = getattr(model.vision_model.config, "first_selection_layer", depth)
    if first <= number:
        raise ValueError(
            f"`model.freeze_layers` is {number}, but the selection tokens enter before layer {first}, and frozen "
            f"layers would have to be run again for them: set `model.config.first_selection_layer` to {number + 1}, "
            "and `model.config.fusion_layers` to layers from there on."
        )
