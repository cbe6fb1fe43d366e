"""A training run as one YAML file: dataclasses whose unknown keys are errors."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import yaml

from ..data.messages import nearest


Section = TypeVar("Section")


@dataclass
class ModelRecipe:
    """Args:
    architecture (`str`): `"e2"`, or `"clip"` for the baseline of the same size.
    start_from (`str`, *optional*): folder or Hub id of a CLIP (or of an E2, for `"e2"`) whose weights, tokenizer and
        image processor are taken. `None`: from scratch, with a tokenizer trained on the corpus.
    config (`dict`): fields of `E2Config` or `CLIPConfig`; with `start_from` those that the checkpoint does not decide.
    vocab_size (`int`): size of the tokenizer that is trained from scratch.
    compose_text (`bool`): put the tags in front of the caption, as the paper does.
    """

    architecture: str = "e2"
    start_from: str | None = None
    config: dict[str, Any] = field(default_factory=dict)
    vocab_size: int = 8192
    compose_text: bool = False


@dataclass
class DataRecipe:
    """Args:
    corpus (`str`): what `load_corpus` takes: a path, a Hub id, or `"generated"`.
    column_map (`str`, *optional*): name of a shipped map or path of a YAML file; `None`: the corpus' own.
    generated (`dict`): arguments of the generated corpus; other corpora take none.
    train_split, validation_split (`str`, *optional*): names of the splits, where they are not the usual ones.
    validation_fraction (`float`): share of the products held out where the corpus has one split only.
    on_bad_image (`str`): `"error"` or `"skip"`.
    on_leak (`str`): `"error"` or `"warn"`.
    cache_folder (`str`): where resized photos are kept.
    """

    corpus: str = "generated"
    column_map: str | None = None
    generated: dict[str, Any] = field(default_factory=dict)
    train_split: str | None = None
    validation_split: str | None = None
    validation_fraction: float = 0.1
    on_bad_image: str = "error"
    on_leak: str = "error"
    cache_folder: str = "~/.cache/hf_fashion/photos"


@dataclass
class StageRecipe:
    """Args:
    epochs (`float`): passes over the train split; a stage may end within one.
    learning_rate (`float`): peak, reached after the warm-up steps.
    trainable (`str`): `"all"`, or `"new"` for the parameters that a CLIP lacks (the paper's first stage).
    name (`str`): shown in logs.
    """

    epochs: float
    learning_rate: float
    trainable: str = "all"
    name: str = "full"


@dataclass
class TrainingRecipe:
    """Args:
    output_dir (`str`): receives `checkpoints/`, `best/`, `last/` and `results.json`.
    stages (`list[StageRecipe]`): run one after the other, each with an optimiser and a schedule of its own.
    batch_size (`int`): products a process and step.
    gradient_accumulation_steps (`int`): steps an update; each step's negatives are its own batch.
    mixed_precision (`str`): `"no"`, `"fp16"` or `"bf16"`.
    gradient_checkpointing (`bool`): recompute activations to save memory.
    adam_betas, weight_decay: of Adam.
    warmup_steps (`int`): updates over which a stage's learning rate rises.
    seed (`int`): of weights, order, views and selection noise.
    eval_every (`int`): updates between evaluations; 0 = at the end of each epoch.
    save_every (`int`): updates between checkpoints; 0 = at each evaluation.
    log_every (`int`): updates between logged losses.
    trackers (`list[str]`): Accelerate's trackers, such as `tensorboard`.
    num_workers (`int`): processes that read batches.
    """

    output_dir: str = "runs/e2"
    stages: list[StageRecipe] = field(default_factory=lambda: [StageRecipe(epochs=1, learning_rate=5e-4)])
    batch_size: int = 64
    gradient_accumulation_steps: int = 1
    mixed_precision: str = "no"
    gradient_checkpointing: bool = False
    adam_betas: list[float] = field(default_factory=lambda: [0.9, 0.999])
    weight_decay: float = 1e-4
    warmup_steps: int = 100
    seed: int = 0
    eval_every: int = 0
    save_every: int = 0
    log_every: int = 10
    trackers: list[str] = field(default_factory=list)
    num_workers: int = 0


@dataclass
class Recipe:
    """A run: its model, its data, its training."""

    model: ModelRecipe = field(default_factory=ModelRecipe)
    data: DataRecipe = field(default_factory=DataRecipe)
    training: TrainingRecipe = field(default_factory=TrainingRecipe)

    def __post_init__(self):
        _require("model.architecture", self.model.architecture, ("e2", "clip"))
        _require("data.on_bad_image", self.data.on_bad_image, ("error", "skip"))
        _require("data.on_leak", self.data.on_leak, ("error", "warn"))
        _require("training.mixed_precision", self.training.mixed_precision, ("no", "fp16", "bf16"))
        if not self.training.stages:
            raise ValueError("`training.stages` must name at least one stage.")
        for name in ("batch_size", "gradient_accumulation_steps", "log_every"):
            if getattr(self.training, name) < 1:
                raise ValueError(f"`training.{name}` must be at least 1; got {getattr(self.training, name)}.")
        for number, stage in enumerate(self.training.stages):
            _require(f"training.stages[{number}].trainable", stage.trainable, ("all", "new"))
        if self.model.architecture == "clip" and any(stage.trainable == "new" for stage in self.training.stages):
            raise ValueError('`training.stages`: trainable="new" needs architecture "e2"; a CLIP has no new parts.')

    @classmethod
    def read(cls, path: str | Path, changes: Sequence[str] = ()) -> "Recipe":
        """Reads a recipe.

        Args:
            path (`str` or `Path`): the YAML file. Its key `base` may name another recipe, relative to it, whose values
                stand where it says nothing.
            changes (`list[str]`): `"training.seed=1"` and the like; values are YAML.

        Raises:
            ValueError: for an unknown key or a value that is not allowed, naming it.
        """
        values = _read_yaml(Path(path))
        for change in changes:
            key, equals, value = change.partition("=")
            if not equals:
                raise ValueError(f"A change must look like section.key=value; got {change!r}.")
            _set(values, key.split("."), yaml.safe_load(value))
        return _fill(cls, values, "recipe")

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values."""
        return asdict(self)


def _read_yaml(path: Path) -> dict[str, Any]:
    values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    base = values.pop("base", None)
    return _merge(_read_yaml(path.parent / base), values) if base else values


def _merge(base: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    both = {key for key in base if isinstance(base[key], dict) and isinstance(values.get(key), dict)}
    return base | values | {key: _merge(base[key], values[key]) for key in both}


def _set(values: dict[str, Any], keys: list[str], value: Any) -> None:
    for number, key in enumerate(keys[:-1]):
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ValueError(f"{'.'.join(keys[: number + 1])} holds no keys: change it whole.")
    values[keys[-1]] = value


def _fill(section: type[Section], values: Any, where: str) -> Section:
    if not isinstance(values, Mapping):
        raise ValueError(f"{where}: expected key: value pairs; got {values!r}.")
    known = [entry.name for entry in fields(section)]
    hints = get_type_hints(section)
    for key in values:
        if key not in known:
            raise ValueError(f"{where}: unknown key {key!r}{nearest(str(key), known)}; allowed: {', '.join(known)}.")
    filled = {key: _convert(hints[key], value, f"{where}.{key}") for key, value in values.items()}
    try:
        return section(**filled)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error


def _convert(kind: Any, value: Any, where: str) -> Any:
    if is_dataclass(kind):
        return _fill(kind, value, where)
    if kind is float and not isinstance(value, bool):
        try:
            return float(value)  # YAML reads 5e-4 as text
        except (TypeError, ValueError):
            raise ValueError(f"{where} must be a number; got {value!r}.") from None
    return _checked(kind, value, where)


def _checked(kind: Any, value: Any, where: str) -> Any:
    """Checks a value against `int`, `str | None`, `list[str]` and the like; containers element by element."""
    if isinstance(kind, UnionType):
        if value is None:
            return value
        kind = get_args(kind)[0]
    container = get_origin(kind) or kind
    if not isinstance(value, container) or (container is int and isinstance(value, bool)):
        raise ValueError(f"{where} must be of type {container.__name__}; got {value!r}.")
    if container is list:
        return [_convert(get_args(kind)[0], item, f"{where}[{number}]") for number, item in enumerate(value)]
    return value


def _require(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"`{name}` must be one of {', '.join(allowed)}; got {value!r}.")
