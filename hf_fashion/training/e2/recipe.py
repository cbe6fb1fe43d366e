"""A training run of E2, or of a CLIP or FILIP of the same size, as one YAML file."""

from dataclasses import dataclass, field
from typing import Any

from ...data.tokenizer import SMALLEST_VOCABULARY
from ..adapters import check_lora
from ..recipe import CardRecipe, DataRecipe, TrainingRecipe, check_run
from ..recipe_file import RecipeFile, require
from ..recipe_ranges import in_range


@dataclass
class RegionWeightRecipe:
    """Set a region loss weight that changes evenly over the first epochs of a run, and then stays.

    Args:
        start (`float`): the weight at the first update.
        end (`float`): the weight after `epochs`; the exported configuration names this one.
        epochs (`float`): epochs in between, those of all stages together.
    """

    start: float = field(metadata=in_range(at_least=0))
    end: float = field(metadata=in_range(at_least=0))
    epochs: float = field(metadata=in_range(above=0))


@dataclass
class E2ModelRecipe:
    """Choose E2, CLIP or FILIP, its configuration, and where its weights come from.

    Args:
        architecture (`str`, *optional*, defaults to `"e2"`): `"e2"`, or a baseline of the same size, the same start
            without selection tokens: `"clip"`, or `"filip"`, which compares the tokens of photos and texts.
        start_from (`str`, *optional*): folder or Hub id of a CLIP, a SigLIP, an E2 or a FILIP whose weights, tokenizer
            and image processor are used. `None`: from scratch, with a tokenizer trained on the corpus.
        start_from_vision (`str`, *optional*): in place of `start_from`, folder or Hub id of a vision encoder, such as
            a DINOv2, whose weights and image processor are used.
        start_from_text (`str`, *optional*): next to it, folder or Hub id of a text encoder, whose weights and
            tokenizer are used. `None`: a text tower of CLIP from scratch, with a tokenizer trained on the corpus.
        image_size (`int`, *optional*): edge of the square photos of a run with `start_from_vision`, if the encoder
            takes several sizes. `None`: what its image processor makes.
        config (`dict`, *optional*): fields of `E2Config`, `CLIPConfig` or `FilipConfig`; with a start only
            those that the checkpoint does not decide.
        vocab_size (`int`, *optional*, defaults to 8192): size of the tokenizer that is trained from scratch.
        compose_text (`bool`, *optional*): put the tags in front of the caption, as the paper does. `None`: as the
            processor of `start_from` does; a new one does not.
        lora_r (`int`, *optional*): rank of a LoRA adapter on `start_from`, which is then a model of this architecture.
            Trained are the adapter and E2's own parts. `None`: all weights are trained.
        freeze_layers (`int`, *optional*, defaults to 0): layers of the vision tower, counted from the embeddings, that
            are never trained. Their outputs are computed once for each photo and kept next to the resized photos.
        region_weight (`RegionWeightRecipe`, *optional*): a schedule in place of `config.region_loss_weight`.
        weigh_entities (`bool`, *optional*, defaults to `False`): learn a weight for the words of a text that name tags
            of each entity, after the idea of EI-CLIP. For `"e2"` and `"clip"`.
    """

    architecture: str = "e2"
    start_from: str | None = None
    start_from_vision: str | None = None
    start_from_text: str | None = None
    image_size: int | None = field(default=None, metadata=in_range(at_least=1))
    config: dict[str, Any] = field(default_factory=dict)
    vocab_size: int = field(default=8192, metadata=in_range(at_least=SMALLEST_VOCABULARY))
    compose_text: bool | None = None
    lora_r: int | None = field(default=None, metadata=in_range(at_least=1))
    freeze_layers: int = field(default=0, metadata=in_range(at_least=0))
    region_weight: RegionWeightRecipe | None = None
    weigh_entities: bool = False


@dataclass
class E2Recipe(RecipeFile):
    """A run: its model, its data, its training."""

    model: E2ModelRecipe = field(default_factory=E2ModelRecipe)
    data: DataRecipe = field(default_factory=DataRecipe)
    training: TrainingRecipe = field(default_factory=TrainingRecipe)
    card: CardRecipe = field(default_factory=CardRecipe)

    def __post_init__(self):
        require("model.architecture", self.model.architecture, ("e2", "clip", "filip"))
        check_run(self.data, self.training, trainable=("all", "new"))
        check_lora(
            self.model.lora_r,
            self.model.start_from,
            {"config": self.model.config, "weigh_entities": self.model.weigh_entities},
        )
        self._check_start()
        if self.model.architecture != "e2" and any(stage.trainable == "new" for stage in self.training.stages):
            name = self.model.architecture.upper()
            raise ValueError(f'`training.stages`: trainable="new" needs architecture "e2"; a {name} has no new parts.')
        _check_freezing(self.model)
        _check_region_weight(self.model)
        if self.model.weigh_entities and self.model.architecture == "filip":
            raise ValueError(
                "`model.weigh_entities` changes text embeddings, and a FILIP compares tokens: set "
                '`model.architecture` to "clip" or "e2", or remove it.'
            )

    def _check_start(self) -> None:
        model = self.model
        if model.start_from and (model.start_from_vision or model.start_from_text):
            raise ValueError("`model.start_from` has both towers: remove it, or the starts of the towers.")
        needs_vision = [name for name in ("start_from_text", "image_size") if getattr(model, name)]
        if needs_vision and not model.start_from_vision:
            raise ValueError(f"`model.{needs_vision[0]}` needs `model.start_from_vision`, a vision encoder.")


def _check_freezing(model: E2ModelRecipe) -> None:
    if model.freeze_layers and not (model.start_from or model.start_from_vision):
        raise ValueError(
            "`model.freeze_layers` keeps layers as they are: name trained ones by `model.start_from` or "
            "`model.start_from_vision`."
        )
    if model.freeze_layers and model.lora_r is not None:
        raise ValueError(
            "`model.freeze_layers` and `model.lora_r` exclude each other: an adapter would change the frozen layers."
        )


def _check_region_weight(model: E2ModelRecipe) -> None:
    if model.region_weight is not None and model.architecture != "e2":
        name = model.architecture.upper()
        raise ValueError(f'`model.region_weight` needs `model.architecture` "e2"; a {name} has no regions.')
    if model.region_weight is not None and "region_loss_weight" in model.config:
        raise ValueError("Both `model.region_weight` and `model.config.region_loss_weight` are set: remove one.")
