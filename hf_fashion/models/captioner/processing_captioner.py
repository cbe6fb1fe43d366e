"""Processor of captioners: photos to pixels, captions to tokens and back."""

import logging
from collections.abc import Sequence

from transformers import BatchFeature
from transformers.image_utils import ImageInput
from transformers.processing_utils import ProcessorMixin


logger = logging.getLogger(__name__)


class CaptionerProcessor(ProcessorMixin):
    """Joins the image processor of the embedding model and the tokenizer of the decoder.

    Args:
        image_processor (`BaseImageProcessor`): of the model that embeds photos.
        tokenizer (`PreTrainedTokenizerBase`): of the decoder; it must have an end of text.
        max_caption_length (`int`, *optional*, defaults to 32): the most tokens of a caption, its end included.
    """

    def __init__(self, image_processor=None, tokenizer=None, max_caption_length=32, **kwargs):
        if tokenizer is not None and tokenizer.eos_token_id is None:
            raise ValueError("the tokenizer has no end of text, which ends a caption: set its `eos_token`.")
        self.max_caption_length = max_caption_length
        super().__init__(image_processor, tokenizer, **kwargs)

    def __call__(
        self, images: ImageInput | None = None, text: str | Sequence[str] | None = None, **kwargs
    ) -> BatchFeature:
        """Process photos, tokenize captions.

        Args:
            images (`PIL.Image.Image`, array, tensor or a list of them, *optional*): B photos.
            text (`str` or `list[str]`, *optional*): B captions to learn or to score.
            kwargs (`dict`, *optional*): options of the image processor, such as `return_tensors="pt"`.

        Returns:
            `BatchFeature`: `pixel_values` (B, 3, H, W); `input_ids` and `labels` (B, L), always tensors: each caption
            and its end, padded, with -100 as the label of padding.

        Raises:
            ValueError: nothing is given.
        """
        if images is None and text is None:
            raise ValueError("You have to specify `images`, `text`, or both.")
        encoded = BatchFeature() if images is None else self.image_processor(images, **kwargs)
        if text is not None:
            encoded.update(self.pad_captions(self.encode_captions([text] if isinstance(text, str) else text)))
        return encoded

    def encode_captions(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of each caption, cut to `max_caption_length`, with the end of text. A warning says how
        many are cut.

        Args:
            texts (`Sequence[str]`): captions.
        """
        options = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}
        tokens = self.tokenizer(list(texts), **options)["input_ids"]
        kept = self.max_caption_length - 1  # the end of text is a token too
        cut = sum(len(ids) > kept for ids in tokens)
        if cut:
            message = "%d of %d captions are longer than %d tokens and end there, for the decoder too: raise `%s`"
            logger.warning(message, cut, len(tokens), kept, "max_caption_length")
        return [[*ids[:kept], self.tokenizer.eos_token_id] for ids in tokens]

    def pad_captions(self, captions: Sequence[Sequence[int]]) -> dict:
        """Return `input_ids` and `labels` (B, L) of B captions.

        Args:
            captions (`Sequence[Sequence[int]]`): from `encode_captions`.
        """
        import torch  # processing photos needs no torch
        from torch.nn.utils.rnn import pad_sequence

        rows = [torch.tensor(ids) for ids in captions]
        labels = pad_sequence(rows, batch_first=True, padding_value=-100)
        return {"input_ids": labels.masked_fill(labels < 0, self.tokenizer.eos_token_id), "labels": labels}

    @property
    def model_input_names(self) -> list[str]:
        return [*self.image_processor.model_input_names, "input_ids", "labels"]


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
CaptionerProcessor.register_for_auto_class("AutoProcessor")

__all__ = ["CaptionerProcessor"]
