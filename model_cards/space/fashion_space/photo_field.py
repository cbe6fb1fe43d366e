"""The page's field for a photo: takes files that were uploaded, fetches nothing, and bounds bytes and pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio_client.utils import is_http_url_like
from PIL import Image


LARGEST_PHOTO = 20_000_000  # bytes
MOST_PIXELS = 40_000_000


def photo_field(**options: Any) -> gr.Image:
    """Return a field whose value is the content of an uploaded file, not decoded.

    Gradio's own field would fetch a photo that a client names by its URL, and decode every file before the search can
    say what is wrong with it. These two methods are replaced in the object, because gradio writes a file next to each
    module that derives a class from one of its own.

    Args:
        options (`Any`): those of `gr.Image`.
    """
    field = gr.Image(type="filepath", image_mode=None, format="png", **options)
    move = field.async_move_resource_to_block_cache

    async def move_file(path: str | Path | None) -> str | None:
        if path is not None and is_http_url_like(str(path)):
            raise gr.Error("No photo is fetched from a URL here: upload the file.", print_exception=False)
        return await move(path)

    field.async_move_resource_to_block_cache = move_file
    field.preprocess = read_upload
    return field


def read_upload(upload: Any) -> bytes | None:
    """Return the content of an uploaded file.

    Args:
        upload (`ImageData`, *optional*): names a file in gradio's own folder, which gradio has checked.

    Raises:
        gr.Error: the file is too large, or nothing was uploaded.
    """
    if upload is None:
        return None
    if upload.path is None:
        raise gr.Error("Upload the photo as a file.", print_exception=False)
    file = Path(upload.path)
    if file.stat().st_size > LARGEST_PHOTO:
        raise gr.Error(f"A photo may have {LARGEST_PHOTO // 1_000_000} MB.", print_exception=False)
    return file.read_bytes()


def limit_pixels() -> None:
    """Let no photo of more than `MOST_PIXELS` pixels be decoded in this process."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
