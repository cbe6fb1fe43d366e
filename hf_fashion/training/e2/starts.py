"""The checkpoints that a run of E2 or CLIP may start from."""

from transformers import AutoConfig, PreTrainedConfig

from ...models.e2.image_processing_e2 import E2ImageProcessorPil
from ...models.e2.towers_e2 import tower_family
from .recipe import E2ModelRecipe


# Vision encoders that take photos of any size whose edge is a multiple of a patch.
ANY_SIZE = ("dinov2", "dinov2_with_registers", "dinov3_vit")


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
            `"e2"` and without any for `"clip"`; or an adapter of an E2 is to be trained on another model.
    """
    config = read_config(recipe.start_from)
    found, is_e2 = config.model_type, recipe.architecture == "e2"
    if found in ("clip", "siglip") and is_e2 and recipe.lora_r:
        raise ValueError(
            f"`model.start_from` {recipe.start_from!r} is a {'CLIP' if found == 'clip' else 'SigLIP'}, and an adapter "
            "of an E2 is loaded on an E2. Save one with its processor "
            "(`E2Model.from_towers(...).save_pretrained(FOLDER)`) and start from FOLDER."
        )
    if found == "e2" and bool(config.tag_entities) != is_e2:
        found = "e2 with tag entities" if config.tag_entities else "e2 without tag entities"
    if found not in ("e2", "clip", "siglip"):
        own = "e2" if is_e2 else "e2 without tag entities"
        raise ValueError(
            f"`model.start_from` {recipe.start_from!r} is a model of type {found!r}: architecture "
            f"{recipe.architecture!r} starts from one of {own}, clip, siglip; a vision encoder only is named by "
            "`model.start_from_vision`."
        )


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
