"""Processor of E2: images, descriptions and tags to tensors."""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence

from transformers import BatchFeature, PreTrainedTokenizerBase
from transformers.image_utils import ImageInput
from transformers.processing_utils import ProcessorMixin

from .image_processing_e2 import E2ImageProcessorPil
from .region_maps_e2 import draw_region_maps, region_maps
from .texts_e2 import max_tokens, reads_full_length


logger = logging.getLogger(__name__)


# Copied from hf_fashion.texts.warn_of_long_texts
def warn_of_long_texts(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], max_length: int) -> None:
    """Log one warning if texts are longer than the model reads: how many of how many, and the limit.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): the model's.
        texts (`Iterable[str]`): all texts of a call, since a call warns once.
        max_length (`int`): tokens that the model reads of a text.
    """
    texts = list(texts)
    tokens = tokenizer(texts, split_special_tokens=True, verbose=False)["input_ids"] if texts else []
    long = [text for text, ids in zip(texts, tokens, strict=True) if len(ids) > max_length]
    if long:
        message = "%d of %d texts are longer than the %d tokens that the model reads and are cut, such as %.80r"
        logger.warning(message, len(long), len(texts), max_length, long[0])


def tag_id(tag: str | None) -> int:
    """Return a number for a tag string, the same in every process: -1 for a missing tag, else 63 bits of its hash.

    Args:
        tag (`str`, *optional*): the tag; case and outer white space do not count.
    """
    text = (tag or "").strip().lower()
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1 if text else -1


def check_counts(name: str, items: str | Sequence, tags: Sequence[Mapping[str, str | None]]) -> None:
    """Raise if texts or images are not as many as the products whose tags are given.

    Args:
        name (`str`): what the items are: `"text"` or `"images"`.
        items (`str` or `list`): B items; a string is one.
        tags (`list[dict]`): B mappings from entity to tag.

    Raises:
        ValueError: they differ in number.
    """
    number = 1 if isinstance(items, str) else len(items)
    if number != len(tags):
        raise ValueError(f"`{name}` and `tags` must be as many as each other; got {number} and {len(tags)}.")


class E2Processor(ProcessorMixin):
    """Joins an image processor and a tokenizer. A literal `<|endoftext|>` in a text does not end it.

    Args:
        image_processor ([`E2ImageProcessorPil`]): processes `images`.
        tokenizer (`PreTrainedTokenizerBase`): tokenizes `text` and `tags`: CLIP's, or that of the text tower.
        tag_entities (`list[str]`, *optional*): names of the tag entities, in the model's order.
        compose_text (`bool`, *optional*, defaults to `False`):
            Put a product's tags in front of its text, as the paper does: "composition.sub-category.brand.season.text".
        text_padding (`str`, *optional*, defaults to `"longest"`):
            `"longest"`: texts are padded as a call asks, tags to the longest. `"max_length"`: always to the
            tokenizer's `model_max_length`, without an attention mask, as SigLIP's text tower needs.
    """

    def __init__(
        self,
        image_processor=None,
        tokenizer=None,
        tag_entities=None,
        compose_text=False,
        text_padding="longest",
        **kwargs,
    ):
        if text_padding not in ("longest", "max_length"):
            raise ValueError(f'`text_padding` must be "longest" or "max_length"; got {text_padding!r}.')
        if isinstance(tag_entities, str):
            raise ValueError(f"`tag_entities` must be a list of names; got {tag_entities!r}.")
        self.tag_entities = list(tag_entities or [])
        self.compose_text = compose_text
        self.text_padding = text_padding
        super().__init__(image_processor, tokenizer, **kwargs)
        if tokenizer is not None:
            tokenizer.split_special_tokens = True
            self._choose_inputs(tokenizer)

    def _choose_inputs(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Let a tokenizer return what the model takes, also where transformers' pipelines call it, and once saved."""
        unread = ("token_type_ids", "attention_mask") if self.text_padding == "max_length" else ("token_type_ids",)
        names = [name for name in tokenizer.model_input_names if name not in unread]
        if names != list(tokenizer.model_input_names):
            tokenizer.model_input_names = tokenizer.init_kwargs["model_input_names"] = names

    @classmethod
    def from_towers(cls, vision: str, text: str | None = None, tag_entities=None, compose_text=False) -> "E2Processor":
        """Return the processor of `E2Model.from_towers(vision, text)`.

        Args:
            vision (`str`): folder or Hub id of the vision encoder, or of a whole CLIP or SigLIP.
            text (`str`, *optional*): folder or Hub id of the text encoder. Default: `vision` has both sides.
            tag_entities (`list[str]`, *optional*): as given to `from_towers`. Default: E2's.
            compose_text (`bool`, *optional*, defaults to `False`): as for the processor.

        Raises:
            ValueError: the image processor has a step that E2's lacks, or the tokenizer has no padding token, or
                nothing says how many tokens are read of a text.

        Example:

        ```python
        >>> from hf_fashion import E2Model, E2Processor

        >>> towers = ("facebook/dinov2-small", "intfloat/multilingual-e5-small")
        >>> model = E2Model.from_towers(*towers, tag_entities=["brand", "season"])  # doctest: +SKIP
        >>> processor = E2Processor.from_towers(*towers, tag_entities=["brand", "season"])  # doctest: +SKIP
        ```
        """
        from transformers import AutoConfig, AutoTokenizer  # need torch, as processing images does not

        from .configuration_e2 import E2VisionConfig

        config = AutoConfig.from_pretrained(text or vision, trust_remote_code=False)
        text_config = getattr(config, "text_config", config)
        tokenizer = AutoTokenizer.from_pretrained(text or vision, trust_remote_code=False)
        if tokenizer.pad_token is None:
            raise ValueError(
                f"The tokenizer of {text or vision} has no padding token: set `tokenizer.pad_token`, such as to "
                "`tokenizer.eos_token`, and save it next to the text encoder."
            )
        tokenizer.model_max_length = max_tokens(tokenizer, text_config)
        padding = "max_length" if reads_full_length(text_config) else "longest"
        entities = E2VisionConfig().tag_entities if tag_entities is None else tag_entities
        return cls(E2ImageProcessorPil.of(vision), tokenizer, entities, compose_text, padding)

    def __call__(
        self,
        images: ImageInput | None = None,
        text: str | Sequence[str] | None = None,
        tags: Mapping[str, str | None] | Sequence[Mapping[str, str | None]] | None = None,
        **kwargs,
    ) -> BatchFeature:
        """Process images, tokenize texts and tags.

        Args:
            images (`PIL.Image.Image`, array, tensor or a list of them, *optional*): B images.
            text (`str` or `list[str]`, *optional*): T descriptions.
            tags (`dict` or `list[dict]`, *optional*):
                tag strings by entity, one mapping a product. An entity that is absent, `None` or empty is masked.
            kwargs (`dict`, *optional*):
                options of CLIP's processor, such as `return_tensors="pt"`, `padding=True`, `truncation=True`. With
                `truncation`, which tags always have, a warning says how many texts are cut.

        Returns:
            `BatchFeature`: `pixel_values` (B, 3, H, W); `input_ids`, `attention_mask` (T, L); `tag_input_ids`,
            `tag_attention_mask` (B, E, L'), always tensors; `tag_ids` (B, E), -1 = missing. Without masks where
            `text_padding` is `"max_length"`.

        Raises:
            ValueError: if nothing is given, a tag names an unknown entity or is no text, or texts or images are not as
                many as tags.
        """
        if images is None and text is None and tags is None:
            raise ValueError("You have to specify `images`, `text`, `tags`, or several of them.")
        tags = [tags] if isinstance(tags, Mapping) else tags
        if tags is not None:
            self._check_tags(tags)
        if tags is not None and text is not None:
            check_counts("text", text, tags)
            text = self.compose(text, tags) if self.compose_text else text
        self._warn_of_cuts(text, tags, kwargs | kwargs.get("text_kwargs", {}))
        if images is None and text is None:
            encoded = BatchFeature()
        else:
            kwargs = self._padded(kwargs)
            encoded = super().__call__(images=images, text=text, **kwargs)
        if tags is not None:
            if images is not None:  # one image may come as such or in a list: they are counted once processed
                check_counts("images", encoded["pixel_values"], tags)
            encoded.update(self.encode_tags(tags))
        return encoded

    def _padded(self, options: Mapping) -> dict:
        """Options of a call, with the padding that the text tower cannot do without."""
        if self.text_padding == "longest":
            return dict(options)
        text_kwargs = {**options.get("text_kwargs", {}), "padding": "max_length"}
        return {name: value for name, value in options.items() if name != "padding"} | {"text_kwargs": text_kwargs}

    def compose(self, text: str | Sequence[str], tags: Sequence[Mapping[str, str | None]]) -> list[str]:
        """Join each product's tags and its text with full stops, as the paper does (section 4.1).

        Args:
            text (`str` or `list[str]`): B texts.
            tags (`list[dict]`): B mappings from entity to tag; missing tags are left out.

        Raises:
            ValueError: if texts and tags differ in number.
        """
        check_counts("text", text, tags)
        texts = [text] if isinstance(text, str) else list(text)
        parts = ([row.get(entity) for entity in self.tag_entities] for row in tags)
        return [".".join([*filter(None, row), text]) for row, text in zip(parts, texts, strict=True)]

    def _check_tags(self, tags: Sequence[Mapping[str, str | None]]) -> None:
        for row, tags_of_row in enumerate(tags):
            unknown = sorted(set(tags_of_row) - set(self.tag_entities))
            if unknown:
                raise ValueError(f"`tags[{row}]` names unknown entities {unknown}; known: {self.tag_entities}.")
            for entity, tag in tags_of_row.items():
                if not isinstance(tag, str | None):
                    raise ValueError(
                        f"`tags[{row}]` has a tag that is no text: {entity!r} is {tag!r}, a {type(tag).__name__}. "
                        "Give a string, or `None` where the tag is missing."
                    )

    def _warn_of_cuts(self, text, tags, options: Mapping) -> None:
        longest = self.tokenizer.model_max_length
        warn_of_long_texts(self.tokenizer, [tag for row in tags or [] for tag in row.values() if tag], longest)
        if text is not None and options.get("truncation"):
            texts = [text] if isinstance(text, str) else text
            warn_of_long_texts(self.tokenizer, texts, options.get("max_length") or longest)

    def encode_tags(self, tags: Sequence[Mapping[str, str | None]]) -> dict:
        """Tokenize tags without a word where they are cut, for batches of tags that were looked at before.

        Args:
            tags (`list[dict]`): B mappings from entity to tag; missing tags are masked.

        Returns:
            `dict[str, torch.Tensor]`: `tag_input_ids`, `tag_attention_mask` (B, E, L') and `tag_ids` (B, E). Without
            the mask where `text_padding` is `"max_length"`.
        """
        import torch  # processing images needs no torch

        strings = [row.get(entity) or "" for row in tags for entity in self.tag_entities]
        encoded = self.tokenizer(strings, padding=self.text_padding, truncation=True, return_tensors="pt")
        shape = (len(tags), len(self.tag_entities), -1)
        tokens = {f"tag_{name}": values.view(shape) for name, values in encoded.items()}
        return tokens | {"tag_ids": torch.tensor([tag_id(string) for string in strings]).view(shape[:2])}

    def post_process_region_maps(self, outputs, image_sizes: Sequence[tuple[int, int]]) -> list:
        """Return heat maps of the patches that each entity's tokens selected; see [`region_maps`].

        Args:
            outputs (`E2Output` or `E2VisionModelOutput`): output of the model with `selections`.
            image_sizes (`list[tuple[int, int]]`): (height, width) of each image as it was given to this processor.

        Returns:
            `list[torch.Tensor]`: for each image a map (E, height, width) in 0..1; 0 where a crop cut the image off.
        """
        return region_maps(outputs.selections, image_sizes, len(self.tag_entities), self.image_processor)

    def draw_region_maps(self, image, maps):
        """Draw the image and, next to it, the image with each entity's heat map; see [`draw_region_maps`].

        Args:
            image (`PIL.Image.Image`): the image.
            maps (`torch.Tensor` of shape `(E, H, W)`): its maps from `post_process_region_maps`.

        Returns:
            `PIL.Image.Image`: one row of 1 + E panels.
        """
        return draw_region_maps(image, maps, self.tag_entities)

    @property
    def model_input_names(self) -> list[str]:
        return [*super().model_input_names, *(f"tag_{name}" for name in self.tokenizer.model_input_names), "tag_ids"]


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
E2Processor.register_for_auto_class("AutoProcessor")

__all__ = ["E2Processor"]
