"""The sections that the recipes of all models share: data and training."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..hub.cards.licenses import check_languages, check_license
from .recipe_file import require
from .recipe_ranges import in_range


PRECISIONS = ("no", "fp16", "bf16")


@dataclass
class DataRecipe:
    """Name the corpus, its splits, and how strict its check is.

    Args:
        corpus (`str`, *optional*, defaults to `"generated"`): a source of `load_corpus`: a path, a Hub id,
            `"generated"`.
        column_map (`str`, *optional*): name of a shipped map or path of a YAML file; `None`: the corpus' own.
        generated (`dict`, *optional*): arguments of the generated corpus; ignored for other corpora.
        train_split, validation_split (`str`, *optional*): names of the splits, if they are not the usual ones.
        validation_fraction (`float`, *optional*, defaults to 0.1): share of the products to validate on, if the corpus
            has only one split.
        held_out_fraction (`float`, *optional*): share of the train split's products that is kept from embedding
            models, to train a re-ranker. `None`: train on all products.
        on_bad_image (`str`, *optional*, defaults to `"error"`): `"error"` or `"skip"`.
        on_leak (`str`, *optional*, defaults to `"error"`): `"error"` or `"warn"`.
        cache_folder (`str`, *optional*, defaults to `"~/.cache/hf_fashion/photos"`): where resized photos are kept.
    """

    corpus: str = "generated"
    column_map: str | None = None
    generated: dict[str, Any] = field(default_factory=dict)
    train_split: str | None = None
    validation_split: str | None = None
    validation_fraction: float = field(default=0.1, metadata=in_range(above=0, below=1))
    held_out_fraction: float | None = field(default=None, metadata=in_range(above=0, below=1))
    on_bad_image: str = "error"
    on_leak: str = "error"
    cache_folder: str = "~/.cache/hf_fashion/photos"


@dataclass
class LabelledDataRecipe(DataRecipe):
    """Fields of [`DataRecipe`], and this.

    Args:
        attributes (`list[str]`, *optional*): attributes of the column map to use; `None`: all.
    """

    attributes: list[str] | None = None


@dataclass
class CardRecipe:
    """State for the model's page what nobody else knows. What is left out is not on the page.

    Args:
        license (`str`, *optional*): of the model, as the Hub names it, such as `"apache-2.0"`.
        language (`list[str]`, *optional*): codes of the languages of its texts, such as `["en"]`.
    """

    license: str | None = None
    language: list[str] = field(default_factory=list)

    def __post_init__(self):
        check_license(self.license)
        check_languages(self.language)


@dataclass
class StageRecipe:
    """Set the length and the learning rates of a stage.

    Args:
        epochs (`float`): passes over the train split; a stage may end within an epoch.
        learning_rate (`float`): peak, reached after the warm-up.
        trainable (`str`, *optional*, defaults to `"all"`): `"all"`, or `"new"` for only the parameters that a CLIP
            lacks (the paper's first stage).
        name (`str`, *optional*, defaults to `"full"`): shown in logs.
        learning_rates (`dict[str, float]`, *optional*): other peaks by prefix of the parameters' names; the longest
            match counts. What has a rate of 0 is frozen.
        decay (`float`, *optional*): factor on the learning rates every `decay_every` epochs, instead of warm-up and
            cosine.
        decay_every (`float`, *optional*, defaults to 1.0): epochs between two decays.
    """

    epochs: float = field(metadata=in_range(above=0))
    learning_rate: float = field(metadata=in_range(at_least=0))
    trainable: str = "all"
    name: str = "full"
    learning_rates: dict[str, float] = field(default_factory=dict, metadata=in_range(at_least=0))
    decay: float | None = field(default=None, metadata=in_range(above=0, at_most=1))
    decay_every: float = field(default=1.0, metadata=in_range(above=0))


@dataclass
class TrainingRecipe:
    """Set the stages, batches and optimiser of a run, and when it evaluates and saves.

    Args:
        output_dir (`str`, *optional*, defaults to `"runs/e2"`): receives `checkpoints/`, `best/`, `last/`,
            `results.json`.
        stages (`list[StageRecipe]`, *optional*): run one after the other, each with its own optimiser and schedule.
        batch_size (`int`, *optional*, defaults to 64): products in a step of one process.
        gradient_accumulation_steps (`int`, *optional*): steps in an update; a step contrasts only its own batch.
            `None`: that of `accelerate launch`, else 1.
        mixed_precision (`str`, *optional*): `"no"`, `"fp16"` or `"bf16"`. `None`: that of `accelerate launch`, else
            `"no"`.
        gradient_checkpointing (`bool`, *optional*, defaults to `False`): recompute activations to save memory.
        adam_betas (`list[float]`, *optional*, defaults to `[0.9, 0.999]`): of Adam.
        weight_decay (`float`, *optional*, defaults to 1e-4): of Adam.
        warmup_steps (`int`, *optional*, defaults to 100): updates over which a stage's learning rate rises; at most
            half of the stage's.
        seed (`int`, *optional*, defaults to 0): of weights, order, views and selection noise.
        eval_every (`int`, *optional*, defaults to 0): updates between evaluations; 0 = at the end of each epoch.
        save_every (`int`, *optional*, defaults to 0): updates between checkpoints; 0 = at each evaluation.
        log_every (`int`, *optional*, defaults to 10): updates between logged losses.
        trackers (`list[str]`, *optional*): Accelerate's trackers, such as `tensorboard`.
        num_workers (`int`, *optional*, defaults to 0): processes that read batches.
        push_to_hub (`bool`, *optional*, defaults to `False`): push the best model to the Hub.
        hub_model_id (`str`, *optional*): repository that it is pushed to. `None`: the name of `output_dir`, in the
            user's own namespace.
        hub_private (`bool`, *optional*, defaults to `False`): create a private repository.
        hub_strategy (`str`, *optional*, defaults to `"end"`): push at the end of the run, or `"every_save"`: also at
            each checkpoint, if the best model has changed.
    """

    output_dir: str = "runs/e2"
    stages: list[StageRecipe] = field(default_factory=lambda: [StageRecipe(epochs=1, learning_rate=5e-4)])
    batch_size: int = field(default=64, metadata=in_range(at_least=1))
    gradient_accumulation_steps: int | None = field(default=None, metadata=in_range(at_least=1))
    mixed_precision: str | None = None
    gradient_checkpointing: bool = False
    adam_betas: list[float] = field(default_factory=lambda: [0.9, 0.999], metadata=in_range(at_least=0, below=1))
    weight_decay: float = field(default=1e-4, metadata=in_range(at_least=0))
    warmup_steps: int = field(default=100, metadata=in_range(at_least=0))
    seed: int = field(default=0, metadata=in_range(at_least=0, below=2**31))
    eval_every: int = field(default=0, metadata=in_range(at_least=0))
    save_every: int = field(default=0, metadata=in_range(at_least=0))
    log_every: int = field(default=10, metadata=in_range(at_least=1))
    trackers: list[str] = field(default_factory=list)
    num_workers: int = field(default=0, metadata=in_range(at_least=0))
    push_to_hub: bool = False
    hub_model_id: str | None = None
    hub_private: bool = False
    hub_strategy: str = "end"


def check_run(data: DataRecipe, training: TrainingRecipe, trainable: Sequence[str] = ("all",)) -> None:
    """Raise `ValueError`, naming the key, for a value that no run allows, or that this model does not.

    Args:
        data (`DataRecipe`): of the run.
        training (`TrainingRecipe`): of the run.
        trainable (`Sequence[str]`, *optional*, defaults to `("all",)`): allowed in a stage; only an E2
            has `"new"` parts.
    """
    require("data.on_bad_image", data.on_bad_image, ("error", "skip"))
    require("data.on_leak", data.on_leak, ("error", "warn"))
    require("training.hub_strategy", training.hub_strategy, ("end", "every_save"))
    if training.mixed_precision is not None:
        require("training.mixed_precision", training.mixed_precision, PRECISIONS)
    if not training.stages:
        raise ValueError("`training.stages` must name at least one stage.")
    if len(training.adam_betas) != 2:
        raise ValueError(f"`training.adam_betas` must be two numbers; got {training.adam_betas}.")
    for number, stage in enumerate(training.stages):
        require(f"training.stages[{number}].trainable", stage.trainable, trainable)
