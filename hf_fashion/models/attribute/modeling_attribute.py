"""Base of all attribute-specific models: attributes and their ids, regions of interest, search features."""

import math
from os import PathLike

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from transformers import PreTrainedModel
from transformers import initialization as init

from .backbone_attribute import feature_map, load_pretrained, unsplit_modules
from .configuration_attribute import AttributeConfig
from .region_of_interest import crop_regions, region_boxes
from .table_attribute import AttributeRows, TextAttributeTable


class AttributePreTrainedModel(AttributeRows, PreTrainedModel):
    """Base of the attribute-specific models; a model adds its `forward`, which returns an `AttributeOutput`."""

    config: AttributeConfig
    base_model_prefix = "attribute_model"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    lora_new_modules: list[str] = []  # the parts that no pretrained backbone has

    def __init__(self, config: AttributeConfig, *inputs, **kwargs):
        config.validate_architecture()  # once more: `from_pretrained(folder, field=value)` sets fields later
        super().__init__(config, *inputs, **kwargs)

    def post_init(self):
        super().post_init()
        self._no_split_modules = unsplit_modules(self)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        """Initialise weights by torch's own rule, which fits every width; the backbones have rules of their own."""
        super()._init_weights(module)
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            init.kaiming_uniform_(module.weight, a=math.sqrt(5))
        elif isinstance(module, nn.Embedding):
            # Attributes must differ from the start: nothing else steers the attention.
            init.normal_(module.weight)
        elif isinstance(module, TextAttributeTable):
            init.normal_(module.texts)
            init.zeros_(module.mean)
            init.zeros_(module.offsets)

    @property
    def image_backbone(self) -> PreTrainedModel:
        """`PreTrainedModel`: the backbone that sees the whole image."""
        raise NotImplementedError(f"{type(self).__name__} must say which of its modules sees the whole image.")

    @property
    def region_backbone(self) -> PreTrainedModel | None:
        """`PreTrainedModel` or `None`: the backbone that sees the regions, where there is one."""
        return None

    @property
    def lora_modules_to_save(self) -> list[str]:
        """`list[str]`: what a LoRA adapter trains whole: new parts, and batch norms, whose statistics change too."""
        norms = [name for name, module in self.named_modules() if isinstance(module, _BatchNorm)]
        lasts = [name.rpartition(".")[2] for name in norms]
        # The number of one in an `nn.Sequential` is that of other modules too.
        names = (name if last.isdigit() else last for name, last in zip(norms, lasts, strict=True))
        return [*self.lora_new_modules, *dict.fromkeys(names)]

    @property
    def lora_exclude_modules(self) -> list[str]:
        """`list[str]`: the grouped convolutions, which peft cannot merge an adapter into."""
        return [name for name, module in self.named_modules() if getattr(module, "groups", 1) > 1]

    @classmethod
    def from_backbones(
        cls,
        config: AttributeConfig,
        backbone: str | PathLike | PreTrainedModel,
        local_backbone: str | PathLike | PreTrainedModel | None = None,
    ) -> "AttributePreTrainedModel":
        """Build an untrained model around pretrained backbones.

        Args:
            config (`AttributeConfig`): the model's, with backbones of the checkpoints' shapes.
            backbone (`str`, `os.PathLike` or `PreTrainedModel`): what sees the whole image: Hub id or folder of a
                pretrained model, or the model.
            local_backbone (`str`, `os.PathLike` or `PreTrainedModel`, *optional*): the same for what sees the regions,
                which starts from random weights without it.

        Raises:
            ValueError: if a checkpoint does not fit the configuration, or the model has no branch for the regions.
        """
        model = cls(config)
        model.load_image_backbone(backbone)
        if local_backbone is not None:
            model.load_region_backbone(local_backbone)
        return model.eval()

    def load_image_backbone(self, source: str | PathLike | PreTrainedModel) -> None:
        """Load pretrained weights into the backbone that sees the whole image.

        Args:
            source (`str`, `os.PathLike` or `PreTrainedModel`): Hub id or folder of a pretrained model, or the model.

        Raises:
            ValueError: if the checkpoint does not fit the configuration.
        """
        load_pretrained(self.image_backbone, source)

    def load_region_backbone(self, source: str | PathLike | PreTrainedModel) -> None:
        """Load pretrained weights into the backbone that sees the regions.

        Args:
            source (`str`, `os.PathLike` or `PreTrainedModel`): Hub id or folder of a pretrained model, or the model.

        Raises:
            ValueError: if the model has no branch for the regions, or the checkpoint does not fit its configuration.
        """
        if self.region_backbone is None:
            raise ValueError(
                f"`local_backbone` is for a branch that sees regions, which the configuration of this "
                f"{type(self).__name__} leaves out: add the branch, or remove `local_backbone`."
            )
        self._load_region_backbone(source)

    def _load_region_backbone(self, source: str | PathLike | PreTrainedModel) -> None:
        load_pretrained(self.region_backbone, source)

    def get_input_embeddings(self) -> nn.Module | None:
        # Not that of texts, and CSN and the triplet net have none.
        table = getattr(self, "attribute_embedding", None)
        return table if isinstance(table, nn.Embedding) else None

    def set_attn_implementation(self, attn_implementation: str | dict, *args, **kwargs) -> None:
        """As of transformers' models; backbones without attention, such as a ResNet, which refuse all but `"eager"`,
        stay as they are."""
        if isinstance(attn_implementation, str):
            backbones = filter(None, (self.image_backbone, self.region_backbone))
            able = {id(backbone.config) for backbone in backbones if backbone._supports_sdpa}
            names = [name for name in self.config.sub_configs if id(getattr(self.config, name)) in able]
            attn_implementation = {"": attn_implementation} | dict.fromkeys(names, attn_implementation)
        super().set_attn_implementation(attn_implementation, *args, **kwargs)

    def encode_map(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Return the backbone's map of images, which depends on no attribute.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, S, S)`): images from the image processor.

        Returns:
            `torch.Tensor` of shape `(B, C, h, w)`: map.
        """
        return feature_map(self.image_backbone, pixel_values)[0]

    def embed_map(self, image_map: torch.Tensor, attribute_rows: torch.Tensor) -> torch.Tensor:
        """Embed maps for attributes given by their rows, by the branch that sees the whole image.

        Args:
            image_map (`torch.Tensor` of shape `(B, C, h, w)`): from [`~AttributePreTrainedModel.encode_map`].
            attribute_rows (`torch.Tensor` of shape `(B, K, P)`): rows; they get gradients.

        Returns:
            `torch.Tensor` of shape `(B, K, d)`: `global_embeds` of the model's output, not normalised.
        """
        raise NotImplementedError(f"{type(self).__name__} must say how its global branch embeds a map.")

    def resolve_attribute_ids(self, attribute_ids: torch.Tensor | None, pixel_values: torch.Tensor) -> torch.Tensor:
        """Return the ids of the attributes asked for, for each image.

        Args:
            attribute_ids (`torch.Tensor` of shape `(B,)` or `(B, K)`, *optional*): positions in
                `config.attribute_names`; `None` means all of them.
            pixel_values (`torch.Tensor` of shape `(B, 3, S, S)`): the images.

        Returns:
            `torch.Tensor` of shape `(B, K)`: long, on the images' device; K = 1 for ids of shape `(B,)`.

        Raises:
            ValueError: if the ids have another shape or dtype, or are no attributes of this model.
        """
        # Not the model's device, which is "meta" where its weights are offloaded.
        names, batch_size, device = self.config.attribute_names, pixel_values.shape[0], pixel_values.device
        if attribute_ids is None:
            return torch.arange(len(names), device=device).expand(batch_size, -1)
        if not isinstance(attribute_ids, torch.Tensor):
            raise ValueError(
                f"`attribute_ids` must be a tensor of integers, of shape (B,) or (B, K): the places of attributes in "
                f"{list(names)}; got {attribute_ids!r}, a {type(attribute_ids).__name__}."
            )
        if (
            attribute_ids.ndim not in (1, 2)
            or attribute_ids.shape[0] != batch_size
            or attribute_ids.is_floating_point()
        ):
            raise ValueError(
                f"`attribute_ids` must be integers of shape (B,) or (B, K) for the B={batch_size} images; got "
                f"{attribute_ids.dtype} of shape {tuple(attribute_ids.shape)}."
            )
        if not torch.compiler.is_compiling() and ((attribute_ids < 0) | (attribute_ids >= len(names))).any():
            raise ValueError(
                f"`attribute_ids` must lie in 0..{len(names) - 1}, the attributes {list(names)}; got "
                f"{attribute_ids.unique().tolist()}."
            )
        return attribute_ids.to(device).long().view(batch_size, -1)

    def regions_of_interest(
        self,
        attention_maps: torch.Tensor,
        size: int,
        pixel_values: torch.Tensor,
        source_pixel_values: torch.Tensor | None = None,
        source_sizes: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the boxes around the attended regions, and the crops of the photo inside them.

        Args:
            attention_maps (`torch.Tensor` of shape `(B, K, h, w)`): attention over `pixel_values`.
            size (`int`): edge of the crops.
            pixel_values (`torch.Tensor` of shape `(B, 3, S, S)`): the model's input, cropped where no source is given.
            source_pixel_values (`torch.Tensor` of shape `(B, 3, H', W')`, *optional*): the photos before their centre
                crop, padded at right and bottom.
            source_sizes (`torch.Tensor` of shape `(B, 2)`, *optional*): height and width of their unpadded parts.

        Returns:
            `tuple[torch.Tensor, torch.Tensor]`: boxes (B, K, 4), long, and crops (B * K, 3, size, size).

        Raises:
            ValueError: if the images are not square, or sizes and sources do not fit each other: a photo is empty or
                larger than what was padded.
        """
        batch_size, number = attention_maps.shape[:2]
        if pixel_values.shape[2] != pixel_values.shape[3]:
            raise ValueError(f"`pixel_values` must be square, (B, 3, S, S); got {tuple(pixel_values.shape)}.")
        source = pixel_values if source_pixel_values is None else source_pixel_values
        if source_sizes is None:
            source_sizes = torch.tensor(source.shape[2:], device=attention_maps.device).expand(batch_size, -1)
        elif source_pixel_values is None or source_sizes.shape != (batch_size, 2):
            raise ValueError(
                f"`source_sizes` must come with `source_pixel_values` and have shape ({batch_size}, 2); got shape "
                f"{tuple(source_sizes.shape)}."
            )
        _check_within(source_sizes, source)
        sizes = source_sizes[:, None].expand(-1, number, -1).flatten(0, 1)  # (B * K, 2)
        edge, published = pixel_values.shape[-1], self.config.published_boxes
        boxes = region_boxes(attention_maps.flatten(0, 1), sizes, edge, self.config.crop_threshold, published)
        boxes = boxes.unflatten(0, (batch_size, number))
        if published:  # whose boxes may reach beyond the photo
            beyond = max(source.shape[2:]) // edge + 1
            source = nn.functional.pad(source, (0, beyond, 0, beyond))
        return boxes, crop_regions(source, boxes, size)

    def get_attribute_features(
        self,
        pixel_values: torch.Tensor,
        attribute_ids: torch.Tensor | None = None,
        source_pixel_values: torch.Tensor | None = None,
        source_sizes: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Embed images for search: the dot product of two embeddings is their images' similarity in an attribute.

        Args:
            pixel_values (`torch.Tensor` of shape `(B, 3, S, S)`): images from the image processor.
            attribute_ids (`torch.Tensor` of shape `(B,)` or `(B, K)`, *optional*): positions in
                `config.attribute_names`; default: all of them.
            source_pixel_values (`torch.Tensor` of shape `(B, 3, H', W')`, *optional*): the photos before their centre
                crop, which the regions are cut from; default: `pixel_values`.
            source_sizes (`torch.Tensor` of shape `(B, 2)`, *optional*): height and width of their unpadded parts.

        Returns:
            `torch.Tensor` of shape `(B, K, D)`: L2-normalised.
        """
        return self(pixel_values, attribute_ids, source_pixel_values, source_sizes, return_dict=True).attribute_embeds


def _check_within(source_sizes: torch.Tensor, source: torch.Tensor) -> None:
    if torch.compiler.is_compiling():  # a graph raises nothing that depends on values
        return
    longest = torch.tensor(source.shape[2:], device=source_sizes.device)
    if ((source_sizes < 1) | (source_sizes > longest)).any():
        raise ValueError(
            "`source_sizes` are heights and widths within the padded photos, "
            f"1..{longest[0]} and 1..{longest[1]}; got {source_sizes.tolist()}."
        )


__all__ = ["AttributePreTrainedModel"]
