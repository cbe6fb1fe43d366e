"""Pack corpora and pretrained models for `gpu.py` in parts that a call can carry, and print the calls.

    pip download --no-deps --dest .wheels transformers==5.23.0   # where the machine has another version
    PYTHONPATH=. python benchmarks/pack_gpu.py --vision DINOV2_FOLDER --cnn MOBILENET_V2_FOLDER --wheels .wheels
    PYTHONPATH=. python benchmarks/pack_gpu.py --toy             # the same at toy size, from drawn garments
    PYTHONPATH=. python benchmarks/pack_gpu.py --small ...       # 112 px, for the attribute models on two cores

Weights are packed in float16, photos as square JPEG. Whatever needs `datasets` is done here: texts become tokens, and
batches, queries and candidates are drawn. The parts go to `build/gpu`, which git ignores, with the checksum of each
file. The machine keeps what an earlier call has unpacked to its /tmp only while it is warm.
"""

import argparse
import shutil
from dataclasses import asdict
from pathlib import Path

import torch
import transformers
from transformers import AutoModel, Dinov2Config, Dinov2Model, PreTrainedModel, ResNetConfig, ResNetModel

from benchmarks.gpu_batch.packed import INDEX, sha256
from benchmarks.gpu_batch.packing import pack_corpus
from benchmarks.gpu_batch.settings import SMALL, TOY, Settings
from hf_fashion.files import folder_written_aside, write_json
from hf_fashion.training.recipe import LabelledDataRecipe


CORPORA = {
    "tshirts": LabelledDataRecipe("../shared/corpora/tshirts", "tshirts", on_leak="warn"),
    "catalog-large": LabelledDataRecipe("../shared/corpora/catalog-large", "catalog", on_leak="warn"),
}
TOY_CORPORA = {
    "toy": LabelledDataRecipe(generated={"train_rows": 120, "validation_rows": 40, "image_size": 32}),
}
UNPACKED = "/tmp/hf_fashion_gpu"
RESULTS = "build/gpu-results"
MIB = 2**20


def toy_models() -> dict[str, PreTrainedModel]:
    """Return a tiny DINOv2 and a tiny CNN of random weights."""
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    cnn = {"embedding_size": 8, "hidden_sizes": [8, 24], "depths": [1, 1], "layer_type": "basic"}
    return {
        "vision": Dinov2Model(Dinov2Config(**sizes)),
        "cnn": ResNetModel(ResNetConfig(**cnn, out_features=["stage2"])),
    }


def pack(
    output: Path,
    models: dict[str, PreTrainedModel],
    corpora: dict[str, LabelledDataRecipe],
    settings: Settings,
    wheels: list[Path],
    part_bytes: int,
) -> int:
    """Write the parts and return their number; nothing is left of a packing that fails.

    Args:
        output (`Path`): folder of the parts; an earlier packing is replaced.
        models (`dict[str, PreTrainedModel]`): `"vision"`, a DINOv2, and `"cnn"`.
        corpora (`dict[str, LabelledDataRecipe]`): name -> where it is.
        settings (`Settings`): sizes and budgets of the runs.
        wheels (`list[Path]`): packages that the machine needs in another version.
        part_bytes (`int`): what a call carries at the most.

    Raises:
        ValueError: a file or model is larger than a part, or a corpus cannot be used as it is.
    """
    with folder_written_aside(output, replace=True) as aside:
        for name, model in models.items():
            model.half().save_pretrained(aside / name)
        for name, recipe in corpora.items():
            pack_corpus(name, recipe, settings, aside)
        for wheel in wheels:
            shutil.copy2(wheel, aside)
        parts = divide(aside, part_bytes)
        index = {"settings": asdict(settings), "corpora": list(corpora), "transformers": transformers.__version__}
        index["files"] = {
            str(path.relative_to(aside)): {"part": part, "sha256": sha256(path)}
            for entry, part in parts.items()
            for path in files_of(aside / entry)
        }
        for entry, part in parts.items():
            (aside / f"part-{part}").mkdir(exist_ok=True)
            (aside / entry).rename(aside / f"part-{part}" / entry)
            write_json(index, aside / f"part-{part}" / INDEX)
    return max(parts.values())


def files_of(entry: Path) -> list[Path]:
    """Return a file, or all files of a folder."""
    return sorted(path for path in (entry, *entry.rglob("*")) if path.is_file())


def divide(folder: Path, part_bytes: int) -> dict[str, int]:
    """Return file or folder -> part, the largest first, each in the first part with room for it.

    Raises:
        ValueError: one of them is larger than a part.
    """
    sizes = {entry.name: sum(path.stat().st_size for path in files_of(entry)) for entry in folder.iterdir()}
    room: list[int] = []
    parts = {}
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        if size > part_bytes:
            raise ValueError(f"{name} has {size:,} bytes, more than a part ({part_bytes:,}): raise `--part_mib`")
        part = next((number for number, left in enumerate(room) if left >= size), len(room))
        if part == len(room):
            room.append(part_bytes)
        room[part] -= size
        parts[name] = part + 1
    return parts


def calls(output: Path, parts: int, wheels: bool) -> str:
    """Return what to run on the GPU machine: one call a part; the last one also trains."""
    lines = [
        f"{parts} calls of `run`, each within 30 seconds of the one before, or the machine forgets its parts.",
        "A later round sends the parts again and carries the results of the earlier one.",
    ]
    install = "python3 -m pip install -q --no-index --no-deps --no-compile --target /tmp/site"
    install = (
        f"{install} {UNPACKED}/*.whl && export PYTHONPATH=.:/tmp/site && " if wheels else "export PYTHONPATH=. && "
    )
    for part in range(1, parts + 1):
        carry, timeout = [f"{output}/part-{part}"], 120
        command = f"mkdir -p {UNPACKED} && cp -r {output}/part-{part}/. {UNPACKED}/"
        if part == parts:
            carry, timeout = [*carry, RESULTS], 570
            command += f"; cp {RESULTS}/*.json $OUT/ 2>/dev/null; {install}"
            command += f"python3 -u benchmarks/gpu.py --packed {UNPACKED} --results $OUT --budget_s 480"
        lines += [f"\ncall {part} (timeout_s {timeout}, carry {carry}):", f"  {command}"]
    lines.append(
        f"\nThen copy the files that came back to {RESULTS}; `benchmarks/gpu.py --table --results {RESULTS}`."
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vision", type=Path, help="folder of a Dinov2Model")
    parser.add_argument("--cnn", type=Path, help="folder of a CNN, such as a MobileNetV2")
    parser.add_argument("--wheels", type=Path, help="folder of wheels that the machine needs in another version")
    parser.add_argument("--output", type=Path, default=Path("build/gpu"), help="folder that git ignores")
    parser.add_argument("--part_mib", type=int, default=56, help="a call takes 64 MiB, the repository among them")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--toy", action="store_true", help="few drawn garments of 32 px, models of random weights")
    sizes.add_argument("--small", action="store_true", help="112 px and fewer steps, for two cores")
    arguments = parser.parse_args()
    if not arguments.toy and not (arguments.vision and arguments.cnn):
        parser.error("give `--vision` and `--cnn`, or `--toy`")

    if arguments.toy:
        models, corpora, settings = toy_models(), TOY_CORPORA, TOY
    else:
        folders = {"vision": arguments.vision, "cnn": arguments.cnn}
        models = {name: AutoModel.from_pretrained(folder, trust_remote_code=False) for name, folder in folders.items()}
        corpora, settings = CORPORA, SMALL if arguments.small else Settings()
    wheels = sorted(arguments.wheels.glob("*.whl")) if arguments.wheels else []
    if arguments.wheels and not wheels:
        parser.error(f"`--wheels` {arguments.wheels} has no *.whl")
    parts = pack(arguments.output, models, corpora, settings, wheels, arguments.part_mib * MIB)
    print(calls(arguments.output, parts, bool(wheels)))


if __name__ == "__main__":
    main()
