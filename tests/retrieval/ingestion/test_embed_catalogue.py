"""From a dataset to a gallery: what is kept, what is refused, and that a kill loses nothing."""

import pytest
import torch
from datasets import ClassLabel, Dataset, Features, Image, List, Value

from hf_fashion.embedding.fingerprint import embedder_fingerprint, model_fingerprint
from hf_fashion.retrieval.gallery import Gallery
from tests import tiny_attribute
from tests.data.corpora import jpeg, products
from tests.tiny_e2 import tiny_model, tiny_processor
from tests.warm_processes import run_warm


COLUMNS = ["brand", "title"]


@pytest.fixture(scope="module")
def model():
    return tiny_model()


def embedded(uri, model, dataset, **changes) -> Gallery:
    arguments = {"id_column": "id", "metadata_columns": COLUMNS, "batch_size": 4, "progress": False}
    return Gallery.from_dataset(dataset, model, tiny_processor(), uri=uri, **(arguments | changes))


def contents(gallery: Gallery) -> tuple:
    """Ids, vectors bit by bit, metadata."""
    ids = sorted(gallery.ids())
    everything = gallery.search(torch.ones(1, 12), "image", len(gallery)).to_dicts()
    return ids, gallery.vectors(ids, "image").tolist(), everything


def test_a_catalogue_is_found_again(tmp_path, model):
    catalogue = products(10)
    gallery = embedded(tmp_path / "gallery", model, catalogue)
    assert sorted(gallery.ids()) == catalogue["id"][:]
    assert gallery.schema.fingerprint == embedder_fingerprint(model, tiny_processor())
    inputs = tiny_processor()(images=[catalogue[6]["image"]], return_tensors="pt")
    with torch.no_grad():
        query = model.get_image_features(**inputs).pooler_output
    best = gallery.search(query, "image", 1).to_dicts()[0][0]
    assert best["id"] == "p006" and best["score"] == pytest.approx(1, abs=1e-3)
    assert best["metadata"] == {"brand": "Lumaro", "title": "Shirt number 6"}


def test_attribute_models_fill_a_space_for_each_attribute(tmp_path):
    model, processor = tiny_attribute.tiny_asen(), tiny_attribute.tiny_image_processor()
    catalogue = products(5)
    gallery = Gallery.from_dataset(
        catalogue, model, processor, uri=tmp_path / "gallery", id_column="id", progress=False
    )
    assert gallery.schema.spaces == dict.fromkeys(tiny_attribute.ATTRIBUTE_NAMES, tiny_attribute.EMBEDDING_DIM)
    with torch.no_grad():
        features = model.get_attribute_features(**processor(catalogue["image"][:], return_tensors="pt"))
    vectors = gallery.vectors(catalogue["id"][:], "sleeve_length")
    torch.testing.assert_close(vectors, features[:, 1], atol=1e-3, rtol=0)


def test_of_several_views_the_first_is_embedded(tmp_path, model):
    views = [[{"bytes": jpeg(number), "path": None} for number in pair] for pair in ((3, 4), (5, 6))]
    features = Features(id=Value("int32"), views=List(Image()))
    catalogue = Dataset.from_dict({"id": [1, 2], "views": views}, features=features)
    changes = {"image_column": "views", "metadata_columns": ()}
    gallery = embedded(tmp_path / "views", model, catalogue, **changes)
    assert sorted(gallery.ids()) == ["1", "2"]
    single = embedded(tmp_path / "single", model, products(7))
    torch.testing.assert_close(gallery.vectors(["1", "2"], "image"), single.vectors(["p003", "p005"], "image"))


def test_metadata_keep_their_types_and_labels_their_names(tmp_path, model):
    features = Features(
        id=Value("string"),
        image=Image(),
        season=ClassLabel(names=["summer", "winter"]),
        sizes=List(Value("string")),
        colours=List(ClassLabel(names=["red", "blue"])),
        price=Value("float32"),
        sold=Value("bool"),
    )
    row = {"season": 1, "sizes": ["S", "M"], "colours": [1, 0], "price": 9.5, "sold": True}
    nothing = dict.fromkeys(row)
    rows = [row, nothing, nothing | {"season": -1}]  # a class below zero is no class
    photo = {"bytes": jpeg(0), "path": None}
    catalogue = Dataset.from_list(
        [{"id": f"p{number}", "image": photo} | row for number, row in enumerate(rows)], features=features
    )
    gallery = embedded(tmp_path / "gallery", model, catalogue, metadata_columns=list(row))
    query = torch.ones(1, 12)
    found = gallery.search(query, "image", 9, "season = 'winter' AND array_has(sizes, 'M') AND sold AND price < 10")
    assert found.metadata[0] == ({**row, "season": "winter", "colours": ["blue", "red"]},)
    assert gallery.search(query, "image", 9, "season IS NULL").metadata[0] == (nothing, nothing)


def test_started_again_it_embeds_what_is_missing(tmp_path, model):
    embedded(tmp_path / "gallery", model, products(6))
    whole = embedded(tmp_path / "gallery", model, products(11))
    assert contents(whole) == contents(embedded(tmp_path / "other", model, products(11)))
    version = whole.info()["version"]
    assert embedded(tmp_path / "gallery", model, products(11)).info()["version"] == version


def test_products_with_the_same_photo_are_said(tmp_path, model, caplog):
    catalogue = products(6).cast_column("image", Image(decode=False))
    photo = catalogue[1]["image"]
    catalogue = catalogue.map(lambda row: row | {"image": photo} if row["id"] in ("p004", "p005") else row)
    embedded(tmp_path / "gallery", model, catalogue)
    (warning,) = [record.message for record in caplog.records if "byte for byte" in record.message]
    assert warning.startswith("3 products have the photo of another") and "row 1 (id 'p001') and row 4" in warning
    caplog.clear()
    embedded(tmp_path / "gallery", model, catalogue)
    assert "byte for byte" not in caplog.text


def test_an_unreadable_photo_is_named_and_what_came_before_is_kept(tmp_path, model):
    def damaged(row, number):
        return row | {"image": {"bytes": b"no photo", "path": None}} if number == 9 else row

    catalogue = products(12)
    broken = catalogue.cast_column("image", Image(decode=False)).map(damaged, with_indices=True)
    with pytest.raises(ValueError, match=r"row 9 \(id 'p009'\): the photo in column 'image' cannot be read"):
        embedded(tmp_path / "gallery", model, broken)
    assert sorted(Gallery.open(tmp_path / "gallery").ids()) == catalogue["id"][:8]
    assert len(embedded(tmp_path / "gallery", model, catalogue)) == 12


def with_ids(ids: list) -> Dataset:
    return products(len(ids)).remove_columns("id").add_column("id", ids)


@pytest.mark.parametrize(
    ("dataset", "changes", "message"),
    [
        (products(4), {"id_column": "ids"}, r"`id_column`: the dataset has no column 'ids' \(did you mean 'id'\?\)"),
        (products(4), {"image_column": "photo"}, "`image_column`: the dataset has no column 'photo'"),
        (products(4), {"metadata_columns": ["price"]}, "`metadata_columns`: the dataset has no column 'price'"),
        (products(4), {"metadata_columns": ["brand", "brand"]}, "must name each column once, got 'brand' again"),
        (products(4), {"metadata_columns": "brand"}, "must be a list of names, got the text 'brand'"),
        (
            products(4).add_column("sale", [None] * 4),
            {"metadata_columns": ["sale"]},
            "all cells of 'sale' are empty",
        ),
        (products(4), {"metadata_columns": ["image"]}, "column 'image' is Image"),
        (products(4), {"metadata_columns": ["id"]}, "no metadata column 'id'"),
        (
            with_ids(["a", None, "b", None]),
            {},
            r"`id_column`: column 'id' is empty in 2 of .*:\n    row 1;\n    row 3$",
        ),
        (
            with_ids([1.0, 2.0]),
            {},
            r"`id_column`: column 'id' is Value\('float64'\), .* it begins with \[1\.0, 2\.0\]",
        ),
        (
            products(3),
            {"id_column": "image"},
            r"column 'image' holds Image\(.*\), and an id is a text or a whole number: name another column",
        ),
        (
            with_ids(["a", "b", "a", "b"]),
            {},
            r"ids must differ; 2 of .*\n    'a': row 0, row 2;\n    'b': row 1",
        ),
        (
            products(3).map(lambda row: {"image": None if row["id"] == "p001" else row["image"]}),
            {},
            r"'image' is null; drop these rows:\n    row 1 \(id 'p001'\)",
        ),
    ],
)
def test_what_cannot_be_a_catalogue_is_refused_before_anything_is_made(tmp_path, model, dataset, changes, message):
    with pytest.raises(ValueError, match=message):
        embedded(tmp_path / "gallery", model, dataset, **changes)
    assert not (tmp_path / "gallery").exists()


def test_a_gallery_of_another_model_is_refused(tmp_path, model):
    embedded(tmp_path / "gallery", model, products(4))
    other = tiny_model(seed=1)
    with pytest.raises(ValueError) as error:
        embedded(tmp_path / "gallery", other, products(6))
    assert model_fingerprint(model) in str(error.value) and model_fingerprint(other) in str(error.value)
    assert len(Gallery.open(tmp_path / "gallery")) == 4


def test_a_gallery_grows_by_a_catalogue_whose_writer_chose_other_types(tmp_path, model):
    def catalogue(count: int, text: str, whole: str) -> Dataset:
        priced = products(count).add_column("stock", list(range(count)))
        return priced.cast_column("brand", Value(text)).cast_column("stock", Value(whole))

    columns = {"metadata_columns": ["brand", "stock"]}
    embedded(tmp_path, model, catalogue(2, "string", "int64"), **columns)
    gallery = embedded(tmp_path, model, catalogue(4, "large_string", "int32"), **columns)
    assert len(gallery) == 4 and gallery.info()["metadata"] == {"brand": "string", "stock": "int64"}


def test_a_gallery_with_other_columns_is_refused(tmp_path, model):
    embedded(tmp_path / "gallery", model, products(4))
    with pytest.raises(ValueError, match=r"has the metadata columns \{'brand': 'string', 'title': 'string'\}"):
        embedded(tmp_path / "gallery", model, products(6), metadata_columns=["brand"])
    Gallery.create(tmp_path / "spaces", {"photo": 12}, fingerprint=model_fingerprint(model))
    with pytest.raises(ValueError, match=r"has the spaces \{'photo': 12\}, the products to add have \{'image': 12\}"):
        embedded(tmp_path / "spaces", model, products(6), metadata_columns=())


# Forked processes embed and are killed at their third, ninth and sixteenth commit: LanceDB, which starts threads, is
# imported only in them.
KILLED = """
import os, signal, sys, time
from pathlib import Path
from datasets import load_from_disk
from transformers import AutoModel, AutoProcessor
import hf_fashion

folder = Path(sys.argv[1])
model, processor = AutoModel.from_pretrained(folder / "model"), AutoProcessor.from_pretrained(folder / "model")
dataset, gallery = load_from_disk(folder / "products"), folder / "killed"
columns = {"id_column": "id", "metadata_columns": ["brand", "title"]}
from_dataset = hf_fashion.Gallery.from_dataset
assert "lancedb" not in sys.modules
for commits in (3, 9, 16):
    child = os.fork()
    if child == 0:
        from_dataset(dataset, model, processor, uri=gallery, **columns, batch_size=2)
        os._exit(1)
    while len(list(gallery.glob("gallery.lance/_versions/*.manifest"))) < commits:
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
"""


def test_killed_and_started_again_it_ends_as_if_undisturbed(tmp_path, model):
    catalogue = products(60)
    catalogue.save_to_disk(tmp_path / "products")
    model.save_pretrained(tmp_path / "model")
    tiny_processor().save_pretrained(tmp_path / "model")
    run_warm(["-c", KILLED, str(tmp_path)]).check_returncode()
    killed = Gallery.open(tmp_path / "killed")
    assert 0 < len(killed) < 60 and len(killed) % 2 == 0
    resumed = embedded(tmp_path / "killed", model, catalogue, batch_size=2)
    assert contents(resumed) == contents(embedded(tmp_path / "undisturbed", model, catalogue, batch_size=2))
