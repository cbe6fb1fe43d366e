"""Train a tiny E2 with transformers' Trainer, as its CLIP example does, by itself or as one of two processes."""

import os
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Trainer, TrainingArguments

from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor
from tests.warm_processes import end_rank


TAGS = [{"brand": f"brand {row}", "season": f"season {row}"} for row in range(4)]


def make_rows(tags: bool) -> list[dict[str, torch.Tensor]]:
    texts = [f"a dress of type {row}" for row in range(4)]
    options = {"tags": TAGS} if tags else {}
    encoded = tiny_processor()(images=tiny_images(4), text=texts, padding=True, return_tensors="pt", **options)
    return [{name: values[row] for name, values in encoded.items()} for row in range(4)]


def collate(rows: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]} | {"return_loss": True}


def train(folder: Path, tags: bool, checkpointing: bool) -> None:
    """Train for two updates and write the parameters, and the mean loss, to a file of this process."""
    settings = TrainingArguments(
        output_dir=str(folder / "run"),
        per_device_train_batch_size=2,
        max_steps=2,
        learning_rate=1e-3,
        gradient_checkpointing=checkpointing,
        remove_unused_columns=False,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        disable_tqdm=True,
    )
    model = tiny_model().train()
    trainer = Trainer(model=model, args=settings, train_dataset=make_rows(tags), data_collator=collate)
    loss = trainer.train().training_loss
    parameters = {name: parameter.detach().contiguous() for name, parameter in model.named_parameters()}
    save_file(parameters | {"training_loss": torch.tensor(loss)}, saved_file(folder, tags, settings.process_index))


def saved_file(folder: Path, tags: bool, rank: int = 0) -> Path:
    return folder / f"{'with' if tags else 'without'}_tags_{rank}.safetensors"


def train_rank(rank: int, folder: str, port: int) -> None:
    """Train as one of two processes, by activation checkpoints, without tags and with them."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    os.environ |= place | {"RANK": str(rank), "LOCAL_RANK": str(rank), "ACCELERATE_USE_CPU": "true"}
    for tags in (False, True):
        train(Path(folder), tags, checkpointing=True)
    assert torch.distributed.get_world_size() == 2
    end_rank()
