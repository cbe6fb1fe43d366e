"""The checkpoints that a run of E2, CLIP or FILIP may start from."""

import logging

from transformers import AutoConfig, PreTrainedConfig

from ...models.e2.image_processing_e2 import E2ImageProcessorPil
from ...models.e2.processing_e2 import E2Processor
from ...models.e2.towers_e2 import tower_family
from .recipe import E2ModelRecipe


logger = logging.getLogger(__name__)

# Vision encoders that take photos of any size whose edge is a multiple of a patch.
ANY_SIZE = ("dinov2", "dinov2_with_registers", "dinov3_vit")
# Architecture -> what its models are saved as, next to the CLIP and the SigLIP that all architectures start from.
OWN_TYPES = {"e2": "e2", "clip": "e2 without tag entities", "filip": "filip"}


def read_config(source: str) -> PreTrainedConfig:
    """Return the configuration of a start; code that it brings does not run.

    Args:
        source (`str`): folder or Hub id.
    """
    return AutoConfig.from_pretrained(source, trust_remote_code=False)


def check_start(recipe: E2ModelRecipe) -> None:
    """Raise if the start checkpoint is of a model that a run cannot start from.

    Args:
        recipe (`E2ModelRecipe`): `start_from`, `architecture` and `lora_r`.

    Raises:
        ValueError: the checkpoint is neither a CLIP or a SigLIP nor an E2 with tag entities for the architecture
            `"e2"`, without any for `"clip"`, a FILIP for `"filip"`; or an adapter of an E2 or a FILIP is to be trained
            on another model.
    """
    config, own = read_config(recipe.start_from), OWN_TYPES[recipe.architecture]
    found = config.model_type
    if found in ("clip", "siglip") and recipe.architecture != "clip" and recipe.lora_r:
        name, kind = {"e2": ("an E2", "E2Model"), "filip": ("a FILIP", "FilipModel")}[recipe.architecture]
        raise ValueError(
            f"`model.start_from` {recipe.start_from!r} is a {'CLIP' if found == 'clip' else 'SigLIP'}, and an adapter "
            f"of {name} is loaded on {name}. Save one with its processor "
            f"(`{kind}.from_towers(...).save_pretrained(FOLDER)`) and start from FOLDER."
        )
    if found == "e2" and not (own == "e2" and config.tag_entities):
        found = "e2 with tag entities" if config.tag_entities else "e2 without tag entities"
    if found not in (own, "clip", "siglip"):
        raise ValueError(
            f"`model.start_from` {recipe.start_from!r} is a model of type {found!r}: architecture "
            f"{recipe.architecture!r} starts from one of {own}, clip, siglip; a vision encoder only is named by "
            "`model.start_from_vision`."
        )


def settle_compose_text(recipe: E2ModelRecipe) -> None:
    """Set `compose_text` where a recipe leaves it out: as `start_from` does, `False` for a new processor.

    Args:
        recipe (`E2ModelRecipe`): of the run; changed in place, so that `results.json` and checkpoints say what ran.

    Raises:
        ValueError: the recipe says something else than `start_from`, and an adapter of it is to be trained.
    """
    start, asked = recipe.start_from, recipe.compose_text
    stored = None if start is None else _stored_compose_text(start)
    if asked is None:
        recipe.compose_text = bool(stored)
    if asked is None or stored is None or asked == stored:
        return
    said = f"`model.compose_text` is {asked}, but `model.start_from` {start!r} has learned with {stored}"
    if recipe.lora_r is not None:
        raise ValueError(f"{said}, and `model.lora_r` adapts it as it is: leave the key out.")
    logger.warning("%s: it reads other texts than before. Leave the key out to keep them.", said)


def _stored_compose_text(start: str) -> bool | None:
    """`None` if the start was saved without a processor of ours."""
    read_config(start)  # which says it if there is no such model
    stored, _ = E2Processor.get_processor_dict(start)
    return stored.get("compose_text")


def check_towers(recipe: E2ModelRecipe) -> None:
    """Raise if E2 does not run on the vision encoder of a run, or not at the size of its photos.

    Args:
        recipe (`E2ModelRecipe`): `start_from_vision` and `image_size`.

    Raises:
        ValueError: the encoder is of another type, or takes no photos of that size.
    """
    whole = read_config(recipe.start_from_vision)
    config = getattr(whole, "vision_config", whole)
    if config.model_type != "clip_vision_model":
        tower_family(config)
    if recipe.image_size is None:
        return
    if config.model_type not in ANY_SIZE:
        raise ValueError(
            f"`model.image_size` is for vision encoders that take several sizes ({', '.join(ANY_SIZE)}); "
            f"{recipe.start_from_vision!r} is of type {config.model_type!r}: remove it."
        )
    if recipe.image_size % config.patch_size:
        raise ValueError(
            f"`model.image_size` must be a multiple of {config.patch_size}, the patches of "
            f"{recipe.start_from_vision!r}; got {recipe.image_size}."
        )


def square_photos(size: int, like: E2ImageProcessorPil | None = None) -> E2ImageProcessorPil:
    """Return an image processor that makes square photos, without a crop.

    Args:
        size (`int`): their edge.
        like ([`E2ImageProcessorPil`], *optional*): its mean, standard deviation and resampling are used. Default:
            CLIP's.
    """
    names = ("resample", "rescale_factor", "image_mean", "image_std")
    settings = {} if like is None else {name: getattr(like, name) for name in names}
    return E2ImageProcessorPil(size={"height": size, "width": size}, do_center_crop=False, **settings)
