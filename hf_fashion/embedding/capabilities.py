"""What a model can embed: photos, texts, attributes, regions of tag entities; errors where it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from ..messages import did_you_mean


# `model_type` of the models that read photos and texts. Others have towers that are called alike and want other
# inputs: other padding, another length, photos in patches.
PHOTO_AND_TEXT_TYPES = ("e2", "clip", "siglip")
NO_REGIONS = (
    "the gallery keeps only embeddings of whole photos. Embed the catalogue into another gallery with `regions=True` "
    "(hf-fashion embed --regions)"
)


def compares_tokens(config: PreTrainedConfig) -> bool:
    """Return whether a model compares the tokens of photos and texts, as FILIP does, and has no vector of either.

    Args:
        config (`PreTrainedConfig`): the model's configuration.
    """
    return getattr(config, "model_type", None) == "filip"


def check_has_vectors(config: PreTrainedConfig) -> None:
    """Raise if a model has no single vector of a photo and of a text.

    Args:
        config (`PreTrainedConfig`): the model's configuration.

    Raises:
        ValueError: the model is a FILIP.
    """
    if compares_tokens(config):
        raise ValueError(
            "a FILIP compares every patch of a photo with every token of a text, and has no single vector of either, "
            "which galleries, searches, encoders and exports need. Take an E2 or a CLIP of the same start instead "
            "(`model.architecture` of the recipe); for pairs of photos and texts, call the model for "
            "`logits_per_image`, or measure it with `hf-fashion evaluate`"
        )


def check_supported(config: PreTrainedConfig) -> None:
    """Raise if a model is none that this package embeds with.

    Args:
        config (`PreTrainedConfig`): the model's configuration.

    Raises:
        ValueError: the model is neither E2, CLIP or SigLIP, nor attribute-specific.
    """
    check_has_vectors(config)
    found = getattr(config, "model_type", None)
    if not getattr(config, "attribute_names", None) and found not in PHOTO_AND_TEXT_TYPES:
        raise ValueError(
            f"a model of type {found!r} is not supported, only E2 ('e2'), CLIP ('clip'), SigLIP ('siglip', which "
            "SigLIP 2 of a fixed resolution is too), and the attribute-specific models ASEN, ASEN++, CSN ('asen'), "
            "IPAD and RPF ('ipad')"
        )


def attribute_names(model: nn.Module) -> list[str]:
    """Return the attributes of an attribute-specific model, no names for other models.

    Args:
        model (`nn.Module`): any model.
    """
    return list(getattr(model.config, "attribute_names", None) or [])


def entity_names(model: nn.Module) -> list[str]:
    """Return the tag entities of E2, each of which has a region embedding; no names for other models.

    Args:
        model (`nn.Module`): any model.
    """
    return list(getattr(model.config, "tag_entities", None) or [])


def space_names(model: nn.Module, regions: bool = True) -> list[str]:
    """Return the spaces that a model embeds photos into: its attributes, or `"image"` and the tag entities of E2.

    Args:
        model (`nn.Module`): any model.
        regions (`bool`, *optional*, defaults to `True`): whether to name the tag entities.
    """
    return attribute_names(model) or ["image", *(entity_names(model) if regions else [])]


def region_spaces(model: nn.Module, spaces: Iterable[str]) -> list[str]:
    """Return those of some spaces that are tag entities of a model.

    Args:
        model (`nn.Module`): any model.
        spaces (`Iterable[str]`): names of spaces, such as those of a gallery.
    """
    return [space for space in spaces if space in entity_names(model) and space != "image"]


def check_regions(model: nn.Module) -> None:
    """Raise if a model has no spaces of tag entities.

    Args:
        model (`nn.Module`): any model.

    Raises:
        ValueError: the model has no tag entities, or one with the name of the space of whole photos.
    """
    if not entity_names(model):
        raise ValueError(
            f"{type(model).__name__} has no tag entities, so it embeds no `regions`: only E2 does. Leave `regions` "
            "(--regions) out"
        )
    if "image" in entity_names(model):
        raise ValueError(
            "the model has a tag entity 'image', which is the name of the space of whole photos: its `regions` cannot "
            "be kept. Rename the entity in `tag_entities` of the model's configuration"
        )


def check_entity(model: nn.Module, entity: str | None, known: Sequence[str] | None = None) -> None:
    """Raise if products cannot be searched in the space of a tag entity.

    Args:
        model (`nn.Module`): any model.
        entity (`str`, *optional*): the entity's name; `None` for a search by whole photos.
        known (`Sequence[str]`, *optional*): the spaces that are stored, where not all of the model's are.

    Raises:
        ValueError: the entity is unknown or its space is not stored, or the model has none.
    """
    names = entity_names(model)
    if entity is None:
        return
    if not names:
        raise ValueError(f"{type(model).__name__} has no tag entities, got `entity`={entity!r}: only E2 has")
    if entity not in names:
        raise ValueError(
            f"unknown `entity` {entity!r}{did_you_mean(entity, names)}: it must be one of {', '.join(names)}"
        )
    if known is not None and entity not in region_spaces(model, known):
        raise ValueError(f"`entity` {entity!r}: {NO_REGIONS}")


def check_attribute(model: nn.Module, attribute: str | None, known: Sequence[str] | None = None) -> None:
    """Raise if photos cannot be compared in an attribute.

    Args:
        model (`nn.Module`): any model.
        attribute (`str`, *optional*): the attribute's name; `None` for models without attributes.
        known (`Sequence[str]`, *optional*): the allowed names, where not all of the model's are.

    Raises:
        ValueError: the attribute is missing or unknown, or the model has none.
    """
    names = attribute_names(model)
    known = names if known is None else known
    if not names and attribute is not None:
        instead = ": search by one of its tag entities with `entity`" if entity_names(model) else ""
        raise ValueError(f"{type(model).__name__} has no attributes, got `attribute`={attribute!r}{instead}")
    if names and attribute is None:
        raise ValueError(
            f"{type(model).__name__} compares photos in one attribute: give the query, the call or the pipeline an "
            f"`attribute`, one of {', '.join(known)}"
        )
    if attribute is not None and attribute not in known:
        raise ValueError(
            f"unknown `attribute` {attribute!r}{did_you_mean(attribute, known)}: it must be one of {', '.join(known)}"
        )


def check_reads_text(model: nn.Module, tokenizer: PreTrainedTokenizerBase | None, texts: Sequence[str]) -> None:
    """Raise if there are texts and the model reads none.

    Args:
        model (`nn.Module`): any model.
        tokenizer (`PreTrainedTokenizerBase`, *optional*): the model's.
        texts (`Sequence[str]`): texts to embed.

    Raises:
        ValueError: the model has no text tower or no tokenizer.
    """
    if texts and (tokenizer is None or not hasattr(model, "get_text_features")):
        raise ValueError(
            f"{type(model).__name__} reads no text, got {list(texts)[:5]}. If a photo is meant, give its path as "
            '{"image": path}, on the command line --image'
        )
