"""The cases of `fuzz.py`: for each kind of input a function that mutates one and gives it to the package."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import yaml
from PIL import Image

from benchmarks.fuzz_mutations import (
    NUMBERS,
    TEXTS,
    mutate_bytes,
    mutate_json,
    mutate_text,
    mutate_tree,
    strange_value,
)
from hf_fashion.data.loading import load_corpus
from hf_fashion.data.photos.stored_photos import StoredPhotos
from hf_fashion.embedding.encoder import Encoder
from hf_fashion.embedding.query_photos import PhotoSources
from hf_fashion.embedding.saved_models import load_model
from hf_fashion.pipelines.fashion_retrieval import FashionRetrievalPipeline
from hf_fashion.pipelines.saved_search import SavedSearchPipeline, read_searches, rerank_search
from hf_fashion.retrieval import search as gallery_search
from hf_fashion.retrieval.gallery import Gallery
from hf_fashion.retrieval.rerankers.query_expansion import query_expansion
from hf_fashion.training.e2.recipe import E2Recipe
from hf_fashion.training.recipes.shipped import shipped_recipes
from tests.tiny_e2 import tiny_images, tiny_model, tiny_processor


PRODUCTS = 24
METADATA = pa.schema(
    [("brand", pa.string()), ("price", pa.float64()), ("new", pa.bool_()), ("sizes", pa.list_(pa.string()))]
)
FILTERS = (
    "brand = 'Lumaro' AND price < 50",
    "`brand` IN ('Lumaro', 'Acme') OR NOT (price BETWEEN 2 AND 9.5)",
    "new IS NOT TRUE AND array_has(sizes, 'M')",
    "brand LIKE 'Lum%' OR brand IS NULL",
    "price > " + "+".join(["1"] * 300),
    "rpad('a', 2000000000, 'b') = brand",
    "(" * 500 + "price < 5" + ")" * 500,
    "price IN (" + ",".join(map(str, range(2_000))) + ")",
    "price < 5; DROP TABLE gallery",
    "brand = $1",
)
WORDS = (
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    "IN",
    "NULL",
    "LIKE",
    "--",
    "/*",
    "::",
    "CAST",
    "''",
    "`",
    "price",
    "brand",
    "1e999",
    "$1",
)
FILTER_DICTS = ({"brand": ["Lumaro", None], "price": {"<": 50, ">=": 2}}, {"new": True, "sizes": "M"}, {"price": 3})
FORMATS = ("png", "jpeg", "gif", "webp", "bmp", "tiff", "ppm", "tga", "ico")
SEARCH_OPTIONS = {"top_k": 3, "filter": "price < 9", "threshold": 0.1, "group_by": "brand", "num_candidates": 5}
NOWHERE = PhotoSources(paths=False, urls=False)


def prepare(folder: Path) -> None:
    """Save what is mutated: a model, a gallery, a saved gallery, catalogues, searches."""
    model, processor = tiny_model(), tiny_processor()
    model.save_pretrained(folder / "model")
    processor.save_pretrained(folder / "model")
    encoder = Encoder(model, processor)
    (folder / "photos").mkdir()
    photos = tiny_images(PRODUCTS)
    for number, photo in enumerate(photos):
        photo.save(folder / "photos" / f"{number:02d}.png")
    columns = metadata()
    gallery = Gallery.create(folder / "gallery", encoder.spaces, METADATA, fingerprint_of(model, processor))
    gallery.add(
        [f"p{row:02d}" for row in range(PRODUCTS)], encoder.embed_photos(encoder.prepare_photos(photos)), columns
    )
    gallery.save_pretrained(folder / "saved")
    rows = [
        {"id": f"p{row:02d}", "image": f"photos/{row:02d}.png"}
        | {name: values[row] for name, values in columns.items()}
        for row in range(PRODUCTS)
    ]
    (folder / "feed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [
        "id;image;brand;price",
        *(f'{row["id"]};{row["image"]};"{row["brand"] or ""}";{row["price"]}' for row in rows),
    ]
    (folder / "feed.csv").write_text("\n".join(lines) + "\n")
    encoded = [{"bytes": (folder / row["image"]).read_bytes(), "path": None} for row in rows]
    pq.write_table(pa.table({"id": [row["id"] for row in rows], "image": encoded}), folder / "corpus.parquet")
    search = SavedSearchPipeline(model, gallery=gallery, processor=processor, device="cpu")
    found = [search(query, top_k=8) for query in ("a red dress", photos[3])]
    (folder / "searches.jsonl").write_text("".join(json.dumps(one) + "\n" for one in found))


def metadata() -> dict[str, list]:
    """Return the metadata of the products, some of them missing."""
    return {
        "brand": [("Lumaro", "Acme", None)[row % 3] for row in range(PRODUCTS)],
        "price": [None if row == 5 else float(row) for row in range(PRODUCTS)],
        "new": [(True, False, None, True)[row % 4] for row in range(PRODUCTS)],
        "sizes": [["S", "M"][: row % 3] for row in range(PRODUCTS)],
    }


def fingerprint_of(model, processor) -> str:
    """Return the fingerprint that a gallery of this model has."""
    from hf_fashion.embedding.fingerprint import model_fingerprint

    return model_fingerprint(model)


class Cases:
    """Run one mutated input of a kind. Each method takes a seeded `Random` and raises where the input is refused.

    A method raises `AssertionError` where the input was taken and something was lost or changed silently.

    Args:
        folder (`Path`): made by [`prepare`].
        work (`Path`): a folder for files of one case, emptied between cases.
    """

    def __init__(self, folder: Path, work: Path):
        self.folder, self.work = folder, work
        self.model, self.processor = load_model(folder / "model", "cpu")
        self.gallery = Gallery.open(folder / "gallery")
        self.ids = sorted(self.gallery.ids())
        self.search = FashionRetrievalPipeline(
            self.model,
            gallery=self.gallery,
            processor=self.processor,
            device="cpu",
            allow_paths=False,
            allow_urls=False,
        )

    def photos(self, random: Random) -> None:
        """Encoded photos, among them one of a few KB that is huge when it is decoded."""
        photo = NOWHERE.open(_encoded_photo(random))
        assert photo.mode == "RGB" and photo.width and photo.height

    def filters(self, random: Random) -> None:
        """SQL and dicts, in memory and in the store."""
        gallery_search.EXACT_SEARCH_LIMIT = random.choice((0, 100_000))
        if random.random() < 0.3:
            condition: Any = mutate_tree(random, random.choice(FILTER_DICTS))
        else:
            words = random.choice(FILTERS).split(" ")
            for _ in range(random.randint(0, 3)):
                words[random.randrange(len(words))] = random.choice((*WORDS, *map(repr, NUMBERS), *TEXTS))
            condition = " ".join(words) if random.random() < 0.6 else mutate_text(random, " ".join(words))
        found = self.gallery.search(torch.ones(1, 12), "image", PRODUCTS, condition)
        assert set(found.ids[0]) <= set(self.ids)

    def queries(self, random: Random) -> None:
        """Objects of any form, with options."""
        found = self.search(_query(random))
        assert isinstance(found, list) or hasattr(found, "__next__")
        for result in found if found and isinstance(found[0], dict) else ():
            assert np.isfinite(result["score"]) and result["id"] in self.ids

    def configs(self, random: Random) -> None:
        """JSON files of a model."""
        model = Path(shutil.copytree(self.folder / "model", self.work / "model"))
        path = random.choice([path for path in sorted(model.glob("*.json")) if path.name != "tokenizer.json"])
        _mutate_json(random, path)
        self._embed(model)

    def safetensors(self, random: Random) -> None:
        """Weights: their header, their bytes, and values that are no numbers."""
        model = Path(shutil.copytree(self.folder / "model", self.work / "model"))
        _mutate_weights(random, model / "model.safetensors")
        self._embed(model)

    def manifests(self, random: Random) -> None:
        """`gallery.json` of a saved gallery."""
        saved = Path(shutil.copytree(self.folder / "saved", self.work / "saved"))
        _mutate_json(random, saved / "gallery.json")
        self._load_saved(saved)

    def parquet(self, random: Random) -> None:
        """Files of a saved gallery, whose hash fits, and of a corpus."""
        if random.random() < 0.5:
            path = self.work / "corpus.parquet"
            path.write_bytes(mutate_bytes(random, (self.folder / "corpus.parquet").read_bytes()))
            return self._load_corpus(path)
        saved = Path(shutil.copytree(self.folder / "saved", self.work / "saved"))
        shard = next(saved.rglob("*.parquet"))
        before = hashlib.sha256(shard.read_bytes()).hexdigest()
        shard.write_bytes(mutate_bytes(random, shard.read_bytes()))
        text = (saved / "gallery.json").read_text()
        (saved / "gallery.json").write_text(text.replace(before, hashlib.sha256(shard.read_bytes()).hexdigest()))
        return self._load_saved(saved)

    def feeds(self, random: Random) -> None:
        """CSV and JSON lines."""
        shutil.copytree(self.folder / "photos", self.work / "photos")
        name = random.choice(("feed.csv", "feed.jsonl"))
        data = (self.folder / name).read_bytes()
        if name == "feed.jsonl" and random.random() < 0.5:
            rows = [json.loads(line) for line in data.splitlines()]
            place = random.randrange(len(rows))
            rows[place] = mutate_tree(random, rows[place])
            data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        else:
            data = mutate_bytes(random, data)
        (self.work / name).write_bytes(data)
        self._load_corpus(self.work / name)

    def recipes(self, random: Random) -> None:
        """YAML: of changed values, of changed text, that names itself, whose aliases explode."""
        path = self.work / "recipe.yaml"
        text = shipped_recipes()["e2_quickstart"].read_text()
        kind = random.random()
        if kind < 0.45:
            text = yaml.safe_dump(mutate_tree(random, yaml.safe_load(text)))
        elif kind < 0.9:
            text = mutate_text(random, text)
        else:
            text = random.choice(
                ("base: recipe.yaml\n", _alias_bomb(random.randint(5, 40)), "base: [" * 300, "a: &a [*a]\n")
            )
        path.write_text(text, encoding="utf-8", errors="ignore")
        E2Recipe.read(path)

    def saved_searches(self, random: Random) -> None:
        """Lines of `search --json`."""
        text = (self.folder / "searches.jsonl").read_text()
        text = "\n".join(mutate_json(random, line) for line in text.splitlines())
        for search in read_searches(text.split("\n")).values():
            found = rerank_search(search, self.gallery, query_expansion, random.choice((None, 1, 3)))
            assert sorted(one["id"] for one in found["results"]) == sorted(one["id"] for one in search["results"])

    def _embed(self, folder: Path) -> None:
        encoder = Encoder(*load_model(folder, "cpu"))
        embedded = encoder.encode([tiny_images(1)[0], "a dress"])
        assert np.isfinite(embedded).all() and np.allclose(np.linalg.norm(embedded, axis=1), 1, atol=1e-2)

    def _load_saved(self, saved: Path) -> None:
        gallery = Gallery.from_pretrained(saved, uri=self.work / "gallery")
        assert sorted(gallery.ids()) == self.ids

    def _load_corpus(self, path: Path) -> None:
        for split in load_corpus(path).values():
            photos = StoredPhotos(split, "image")
            for row in range(len(photos)):
                assert photos[row].mode == "RGB"


KINDS: dict[str, Callable[[Cases, Random], None]] = {
    kind: getattr(Cases, kind)
    for kind in ("photos", "filters", "queries", "configs", "safetensors", "manifests", "parquet", "feeds", "recipes")
} | {"saved_searches": Cases.saved_searches}


def _encoded_photo(random: Random) -> bytes:
    buffer = io.BytesIO()
    if random.random() < 0.02:
        Image.new("1", (30_000, 30_000)).save(buffer, "png")
        return buffer.getvalue()
    mode = random.choice(("RGB", "L", "P", "1"))
    photo = tiny_images(1, seed=random.randrange(9))[0].convert(mode)
    kind = random.choice(FORMATS)
    photo.convert(mode if kind in ("png", "gif", "bmp", "tiff") else "RGB").save(buffer, kind)
    return mutate_bytes(random, buffer.getvalue())


def _query(random: Random) -> Any:
    value = strange_value(random)
    pixels = np.full(
        random.choice(((8, 8, 3), (3, 8, 8), (8, 8), (0, 8, 3), (2, 8, 8, 3), (1,))), random.choice((0, 255))
    )
    forms = (
        value,
        [value, "a dress"],
        {"text": value},
        {"a dress": value, "a coat": random.choice(NUMBERS)},
        {"text": "a dress"} | {random.choice(list(SEARCH_OPTIONS)): value},
        {"image": value, "image_weight": random.choice(NUMBERS)},
        {"image": _encoded_photo(random)},
        pixels.astype(random.choice((np.uint8, np.float32, np.int64, np.complex64, bool))),
        {"terms": {str(value)[:50]: random.choice(NUMBERS)}, random.choice(TEXTS): value},
        mutate_tree(random, {"text": "a dress", **SEARCH_OPTIONS}),
    )
    return random.choice(forms)


def _mutate_json(random: Random, path: Path) -> None:
    path.write_text(mutate_json(random, path.read_text()), encoding="utf-8", errors="surrogatepass")


def _mutate_weights(random: Random, path: Path) -> None:
    from safetensors.torch import load_file, save_file

    if random.random() < 0.3:
        tensors = load_file(path)
        name = random.choice(sorted(tensors))
        tensors[name].view(-1)[0] = float(random.choice(("nan", "inf", "-inf", "1e38")))
        save_file(tensors, path, metadata={"format": "pt"})
        return
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = mutate_bytes(random, data[:end])
    path.write_bytes(header + data[end:] if random.random() < 0.7 else mutate_bytes(random, data))


def _alias_bomb(depth: int) -> str:
    lines = ["a0: &a0 [x, x]"] + [f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}]" for level in range(1, depth)]
    return "\n".join(lines) + "\n"
