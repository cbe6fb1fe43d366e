"""Image processor of E2: CLIP's, on PIL, so that it works without torchvision."""

from pathlib import Path

from transformers import BaseImageProcessor
from transformers.image_processing_backends import PilBackend
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil


STEPS = ("do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb")
SETTINGS = ("size", "crop_size", "resample", "rescale_factor", "image_mean", "image_std")
METHODS = ("_preprocess", "resize", "center_crop", "rescale", "normalize")


class E2ImageProcessorPil(CLIPImageProcessorPil):
    """Resizes, crops, rescales and normalises as CLIP does.

    It is a class of its own so that a saved folder names a file that travels with it: `AutoImageProcessor` then loads
    it with `trust_remote_code=True` in every transformers version that we support.
    """

    @classmethod
    def of(cls, source: BaseImageProcessor | str | Path) -> "E2ImageProcessorPil":
        """Return an image processor that makes the same pixels of photos in RGB as that of another model.

        Args:
            source (`BaseImageProcessor`, `str` or `Path`): such as that of CLIP, SigLIP, DINOv2, ViT or DeiT: the
                image processor, or the folder or Hub id of a model. DINOv3's resizes numbers where PIL resizes bytes,
                so that a pixel differs by up to half of one of 256 steps.

        Raises:
            ValueError: the image processor has a step that E2's lacks, or resizes nothing; it is named.
        """
        processor = source if isinstance(source, BaseImageProcessor) else _load(source)
        _check_steps(processor)
        settings = {name: getattr(processor, name, None) for name in SETTINGS}
        if not processor.do_rescale:
            settings["rescale_factor"] = 1.0
        if not processor.do_normalize:
            settings |= {"image_mean": [0.0] * 3, "image_std": [1.0] * 3}
        crops = bool(getattr(processor, "do_center_crop", False))
        return cls(**{name: value for name, value in settings.items() if value is not None}, do_center_crop=crops)


def _load(source: str | Path) -> BaseImageProcessor:
    from transformers.models.auto.image_processing_auto import AutoImageProcessor  # needs torch, as pixels do not
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    fields, _ = PilBackend.get_image_processor_dict(source)
    if str(fields.get("image_processor_type")).startswith("DINOv3ViT"):  # it exists for torchvision only
        return ViTImageProcessorPil.from_dict(fields)
    return AutoImageProcessor.from_pretrained(source, backend="pil", trust_remote_code=False)


def _check_steps(processor: BaseImageProcessor) -> None:
    name, kind = type(processor).__name__, type(processor)
    if not isinstance(processor, PilBackend):
        raise ValueError(
            f'{name} does not run on PIL: load it by `AutoImageProcessor.from_pretrained` with `backend="pil"`.'
        )
    own = [method for method in METHODS if getattr(kind, method) is not getattr(PilBackend, method)]
    switched_on = [step for step, on in processor.to_dict().items() if step.startswith("do_") and on]
    more = [step for step in switched_on if step not in STEPS]
    if own or more:
        raise ValueError(
            f"{name} has steps that E2's image processor lacks: {', '.join([*more, *own])}. E2 resizes, crops the "
            "centre, rescales and normalises: give an image processor of its own, `E2ImageProcessorPil(size=...)`."
        )
    if not processor.do_resize:
        raise ValueError(f"{name} resizes nothing (`do_resize` is off): E2 needs photos of one size.")


# A folder saved from here carries this file, and `trust_remote_code` loads it where hf_fashion is not installed.
E2ImageProcessorPil.register_for_auto_class("AutoImageProcessor")

__all__ = ["E2ImageProcessorPil"]
