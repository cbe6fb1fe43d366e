"""Read what `pack_gpu.py` has packed: settings, corpora, photos on the device, folders of pretrained models."""

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoModel, PreTrainedModel
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from benchmarks.gpu_batch.settings import Settings
from hf_fashion.data.augmentation import random_views


INDEX = "index.json"


def sha256(path: Path) -> str:
    """Return the checksum of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Packed:
    """A packed folder, or the folder of its parts.

    Args:
        folder (`Path`): the parts side by side (`part-1`, ...), or joined.
    """

    folder: Path

    @cached_property
    def index(self) -> dict:
        """Settings, corpora, and part and checksum of every file."""
        found = [path for path in (self.folder / INDEX, self.folder / "part-1" / INDEX) if path.exists()]
        if not found:
            raise FileNotFoundError(f"{self.folder} has no {INDEX}: run `python benchmarks/pack_gpu.py`")
        return json.loads(found[0].read_text(encoding="utf-8"))

    @cached_property
    def settings(self) -> Settings:
        """Sizes and budgets of the runs."""
        return Settings(**{k: tuple(v) if isinstance(v, list) else v for k, v in self.index["settings"].items()})

    @property
    def fingerprint(self) -> str:
        """What results must be of to go into one table."""
        return hashlib.sha256(json.dumps(self.index, sort_keys=True).encode()).hexdigest()[:16]

    def path(self, name: str) -> Path:
        """Return where a packed file or folder is."""
        joined = self.folder / name
        return joined if joined.exists() else next(iter(self.folder.glob(f"part-*/{name}")), joined)

    def model(self, name: str) -> PreTrainedModel:
        """Return a packed model, in float32."""
        return AutoModel.from_pretrained(self.path(name), dtype=torch.float32, trust_remote_code=False)

    def check(self) -> None:
        """Raise if a file is missing or damaged, or transformers has another version than that of the packing.

        Raises:
            ValueError: naming the files and their parts, or both versions.
        """
        files = self.index["files"]
        missing = [name for name in files if not self.path(name).exists()]
        damaged = [name for name in files if name not in missing and sha256(self.path(name)) != files[name]["sha256"]]
        if missing or damaged:
            parts = sorted({files[name]["part"] for name in missing + damaged})
            raise ValueError(f"{self.folder}: missing {missing}, damaged {damaged}. Send again: parts {parts}.")
        if transformers.__version__ != self.index["transformers"]:
            raise ValueError(
                f"transformers is {transformers.__version__} here, {self.index['transformers']} where the folder was "
                "packed: pack its wheel too (`--wheels`), or the models may differ."
            )

    def corpus(self, name: str, device: torch.device) -> "PackedCorpus":
        """Return a corpus, its photos decoded onto a device."""
        facts = json.loads(self.path(f"{name}.json").read_text(encoding="utf-8"))
        photos = torch.cat([self._decode(f"{name}-photos-{part}.safetensors") for part in range(facts["photo_files"])])
        tensors = load_file(self.path(f"{name}.safetensors"))
        return PackedCorpus(facts, tensors, photos.to(device), self.settings.distortion)

    def _decode(self, name: str) -> Tensor:
        stored = load_file(self.path(name))
        pieces = np.split(stored["bytes"].numpy(), stored["ends"][:-1].tolist())
        with ThreadPoolExecutor() as pool:
            photos = list(pool.map(lambda piece: np.array(Image.open(io.BytesIO(piece.tobytes()))), pieces))
        return torch.from_numpy(np.stack(photos)).permute(0, 3, 1, 2).contiguous()


@dataclass(frozen=True, eq=False)
class PackedCorpus:
    """A corpus on the device: rows that models train on, rows held out for re-rankers, rows to validate on.

    Args:
        facts (`dict`): numbers of rows, entities, attributes and their values, folds.
        tensors (`dict[str, torch.Tensor]`): tokens, tags, batches and protocols.
        photos (`torch.Tensor` of shape `(N, 3, S, S)`): uint8.
        distortion (`float`): of the random views.
    """

    facts: dict
    tensors: dict[str, Tensor]
    photos: Tensor
    distortion: float

    @property
    def device(self) -> torch.device:
        """Where the photos are."""
        return self.photos.device

    @property
    def num_train(self) -> int:
        """Rows that are not for validation."""
        return self.facts["num_kept"] + self.facts["num_held_out"]

    def on_device(self, name: str, rows: Tensor | slice = slice(None)) -> Tensor:
        """Return rows of a tensor, on the device of the photos, integers as int64."""
        return self.tensors[name][rows].to(self.device, torch.long)

    def pixels(self, rows: Tensor, views: torch.Generator | None = None) -> Tensor:
        """Return normalised photos (B, 3, S, S), as random views where a generator is given."""
        mean, std = (
            torch.tensor(values, device=self.device).view(3, 1, 1)
            for values in (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
        )
        pixels = (self.photos[rows.to(self.device)].float() / 255 - mean) / std
        pixels = pixels if views is None else random_views(pixels, self.distortion, views)
        return pixels.contiguous(memory_format=torch.channels_last)  # in which convolutions are faster
