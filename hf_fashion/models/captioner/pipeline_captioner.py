"""Pipeline that writes captions of photos. This file is saved with every captioner."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch.utils.data import Dataset
from transformers import Pipeline, PreTrainedModel, ProcessorMixin

from ...fetching.urls import fetch_photo
from ...images import URL_BEGINNINGS, open_photo


# The task of a saved folder. transformers 5 has no pipeline of this name any more.
TASK = "image-to-text"


class FashionCaptioningPipeline(Pipeline):
    """Write a caption of each photo.

    ```python
    describe = pipeline("image-to-text", model="my_captioner", trust_remote_code=True)
    describe("photos/dress.jpg")                # [{"generated_text": "Red dress with stripes"}]
    describe([photo, another], num_beams=3)     # a list for each photo
    ```

    A photo is a path, a URL, bytes or a photo of PIL; URLs are fetched from public addresses only. Where strangers
    name the photos, turn both off: `allow_paths=False, allow_urls=False`. These, and options of `generate` such as
    `num_beams` and `max_new_tokens`, are given to the call or to the pipeline.

    Args:
        model ([`CaptionerForConditionalGeneration`]): the captioner.
        processor ([`CaptionerProcessor`]): its processor.
    """

    _load_processor = True
    _load_image_processor = False
    _load_feature_extractor = False
    _load_tokenizer = False

    def _sanitize_parameters(self, **options: Any) -> tuple[dict, dict, dict]:
        sources = {name: options.pop(name) for name in ("allow_paths", "allow_urls") if name in options}
        return sources, options, {}

    def __call__(self, inputs: Any, **options: Any) -> Any:
        """Describe a photo, or several.

        Args:
            inputs (`PIL.Image.Image`, `bytes`, `Path` or `str`, or several of them): a photo; a list or another
                sequence of photos, such as the column `dataset["image"]`; or an iterator or torch dataset of them, for
                which an iterator is returned.
            options (`Any`): `batch_size`, `allow_paths`, `allow_urls`, and options of `generate`.

        Returns:
            `list[dict]`, for several photos a list of those: `generated_text`.

        Raises:
            ValueError: a photo cannot be read, or is named by a path or URL where none is allowed.
        """
        if isinstance(inputs, Sequence) and not isinstance(inputs, (str, bytes)):
            return list(super().__call__(_Photos(inputs), **options))
        if isinstance(inputs, Iterator) and not hasattr(inputs, "read"):  # of iterators, the parent knows generators
            inputs = (photo for photo in inputs)
        return super().__call__(inputs, **options)

    def preprocess(
        self, inputs: Image.Image | bytes | Path | str, allow_paths: bool = True, allow_urls: bool = True
    ) -> dict[str, torch.Tensor]:
        """Return the model's input for a photo.

        Args:
            inputs (`PIL.Image.Image`, `bytes`, `Path` or `str`): a photo, its encoded bytes, its path or its URL.
            allow_paths (`bool`, *optional*, defaults to `True`): whether files of this machine are read.
            allow_urls (`bool`, *optional*, defaults to `True`): whether http and https are, as by
                [`~fetching.urls.fetch_photo`].

        Raises:
            ValueError: the photo cannot be read, or is named by a path or URL where none is allowed.
        """
        is_url = isinstance(inputs, str) and inputs.lower().startswith(URL_BEGINNINGS)
        if isinstance(inputs, (str, Path)) and not (allow_urls if is_url else allow_paths):
            raise ValueError(f"photos are not read from {'URLs' if is_url else 'paths'} here: give the photo itself")
        photo = open_photo(fetch_photo(inputs) if is_url else inputs)
        return dict(self.processor(images=[photo], return_tensors="pt"))

    def _forward(self, model_inputs: dict[str, torch.Tensor], **options: Any) -> dict[str, torch.Tensor]:
        pixel_values = model_inputs["pixel_values"].to(self.model.dtype)
        generated = self.model.generate(pixel_values=pixel_values, **options)
        tokens = getattr(generated, "sequences", generated)  # with `return_dict_in_generate`
        # (B, n, L): a batch is taken apart along its first dimension, and a photo may have n captions.
        return {"tokens": tokens.reshape(len(pixel_values), -1, tokens.shape[-1])}

    def postprocess(self, model_outputs: dict[str, torch.Tensor]) -> list[dict[str, str]]:
        """Return the captions of one photo: several, if `num_return_sequences` asks for them.

        Args:
            model_outputs (`dict[str, torch.Tensor]`): `tokens` of the captions, `(1, n, L)`.
        """
        texts = self.processor.batch_decode(model_outputs["tokens"].flatten(0, 1), skip_special_tokens=True)
        return [{"generated_text": text.strip()} for text in texts]

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> None:
        """Save the captioner, which brings this pipeline's code, and its processor.

        Args:
            save_directory (`str` or `Path`): a folder.
            kwargs (`Any`): as for the model's `save_pretrained`.
        """
        self.model.save_pretrained(save_directory, **kwargs)
        self.processor.save_pretrained(save_directory)


class _Photos(Dataset):
    """A sequence of photos as transformers' pipelines take it, also an empty one and a column of a dataset."""

    def __init__(self, photos: Sequence[Any]):
        self.photos = photos

    def __len__(self) -> int:
        return len(self.photos)

    def __getitem__(self, place: int) -> Any:
        return self.photos[place]


def captioning_pipeline(model: PreTrainedModel, processor: ProcessorMixin) -> FashionCaptioningPipeline:
    """Return the pipeline of a captioner that is loaded.

    Args:
        model ([`CaptionerForConditionalGeneration`]): the captioner.
        processor ([`CaptionerProcessor`]): its processor.

    Raises:
        ValueError: the model writes no captions.
    """
    if model.config.model_type != "captioner":
        raise ValueError(
            f"{type(model).__name__} writes no captions: train a captioner over it, by `hf-fashion train captioner`"
        )
    return FashionCaptioningPipeline(model=model, processor=processor, device=model.device)


__all__ = ["TASK", "FashionCaptioningPipeline", "captioning_pipeline"]
