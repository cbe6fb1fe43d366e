"""Image processor of E2: CLIP's, on PIL, so that it works without torchvision."""

from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil


class E2ImageProcessorPil(CLIPImageProcessorPil):
    """Resizes, crops, rescales and normalises as CLIP does.

    It is a class of its own so that a saved folder names a file that travels with it: `AutoImageProcessor` then loads
    it with `trust_remote_code=True` in every transformers version that we support.
    """


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
E2ImageProcessorPil.register_for_auto_class("AutoImageProcessor")

__all__ = ["E2ImageProcessorPil"]
