"""Push galleries to a Hub and load them from it; print the results. Arguments: a folder for its galleries."""

import json
import re
import sys
from pathlib import Path

import torch
from datasets import load_dataset
from huggingface_hub import DatasetCard, HfApi, constants

from hf_fashion.pipelines.search_fashion_retrieval import open_gallery
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.repository import save as save_gallery


NAME = "tester/catalogue"
PLACE = {"repo_id": NAME, "repo_type": "dataset"}
work = Path(sys.argv[1])
api = HfApi()
save_gallery.SHARD_ROWS = 10


def refused(function, *arguments, **options) -> str:
    try:
        function(*arguments, **options)
    except (ValueError, FileNotFoundError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was refused"


def listed(revision: str | None = None) -> list[str]:
    return sorted(api.list_repo_files(**PLACE, revision=revision))


def loaded(name: str, **arguments) -> list[str]:
    gallery = Gallery.from_pretrained(NAME, uri=work / name, **arguments)
    ids = sorted(gallery.ids())
    assert torch.equal(gallery.vectors(ids, "image"), first.vectors(ids, "image"))
    return ids


first = Gallery.create(work / "first", {"image": 8}, fingerprint="Model-1")
names = [f"p{number:03d}" for number in range(23)]
first.add(names, {"image": torch.randn(23, 8, generator=torch.Generator().manual_seed(0))})
found = {"pushed": first.push_to_hub("catalogue").oid, "files": listed()}  # the user's name is added
found["whole"] = loaded("whole")

card = DatasetCard.load(NAME)
card.data.license = "mit"
card.text = "\nOur autumn catalogue.\n" + card.text + "\nAsk Ada.\n"
api.upload_file(path_or_fileobj=str(card).encode(), path_in_repo="README.md", **PLACE)
api.upload_file(path_or_fileobj=b"raise SystemExit('executed')", path_in_repo="search.py", **PLACE)
api.create_tag(**PLACE, tag="autumn")
first.delete(names[9:])
found["winter"] = first.push_to_hub(NAME, commit_message="Winter").oid
found["files after"], found["card"] = listed(), DatasetCard.load(NAME).content
found["newest"] = loaded("newest")
first.push_to_hub(NAME, revision="draft")
found["draft"] = listed("draft")

restored = Gallery.from_pretrained(NAME, uri=work / "autumn", revision="autumn")
found["autumn"] = sorted(restored.ids())
by_id = open_gallery(NAME)
found["by id"] = [sorted(by_id.ids()), by_id.info()["uri"], open_gallery(NAME).info()["uri"]]
found["datasets"] = load_dataset(NAME, split="train")["id"][:]
found["downloaded code"] = [str(path) for path in Path(constants.HF_HUB_CACHE).rglob("search.py")]

photos = {"repo_id": "tester/photos", "repo_type": "dataset"}
api.create_repo(**photos)
api.upload_file(path_or_fileobj=b"a,b", path_in_repo="a.csv", **photos)
found["push onto photos"] = refused(first.push_to_hub, "tester/photos")
found["photos"] = refused(Gallery.from_pretrained, "tester/photos", uri=work / "photos")
found["nowhere"] = refused(Gallery.from_pretrained, "tester/nowhere", uri=work / "nowhere")
for block in re.findall(r"^```python\n(.*?)^```", found["card"], re.MULTILINE | re.DOTALL):
    exec(compile(block, "README.md", "exec"), {})
(work / "results.json").write_text(json.dumps(found))
