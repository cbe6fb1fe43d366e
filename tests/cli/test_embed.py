"""`hf-fashion embed`: every kind of catalogue, and a kill."""

import json
import signal
import sys
import time

import torch

from hf_fashion.cli.main import main
from hf_fashion.retrieval.gallery import Gallery
from tests.cli.commands import COUNT, save_photos
from tests.data.corpora import jpeg
from tests.tiny_e2 import tiny_model
from tests.warm_processes import WarmProcess


def embed(folder, gallery, *more: str) -> int:
    return main(["embed", "--model", str(folder / "e2"), "--gallery", str(gallery), "--device", "cpu", *more])


def contents(gallery) -> tuple:
    ids = sorted(Gallery.open(gallery).ids())
    return ids, Gallery.open(gallery).vectors(ids, "image").tolist()


def test_a_plain_folder_of_photos_is_embedded_and_counted(folder, tmp_path, capsys):
    assert embed(folder, tmp_path / "gallery", "--corpus", str(folder / "photos"), "--batch_size", "3") == 0
    assert capsys.readouterr().out == f"{COUNT} products in {tmp_path / 'gallery'}\n"
    gallery = Gallery.open(tmp_path / "gallery")
    assert sorted(gallery.ids()) == [f"{number:02d}.png" for number in range(COUNT)]
    gallery.check_model(tiny_model())


def test_a_feed_is_read_by_the_columns_that_are_named(folder, tmp_path, capsys):
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(jpeg(number))
    (tmp_path / "feed.csv").write_text("sku,photo,brand\n1,0.jpg,Lumaro\n2,1.jpg,\n3,2.jpg,Halvick\n")
    columns = ["--id_column", "sku", "--image_column", "photo", "--metadata_columns", "brand"]
    assert embed(folder, tmp_path / "bare", "--corpus", str(tmp_path / "feed.csv"), *columns[:4]) == 0
    assert "without columns for filters and results: name some with --metadata_columns" in capsys.readouterr().out
    assert embed(folder, tmp_path / "gallery", "--corpus", str(tmp_path / "feed.csv"), *columns) == 0
    assert "without columns" not in capsys.readouterr().out
    found = Gallery.open(tmp_path / "gallery").search(torch.ones(1, 12), "image", 5, "brand = 'Halvick'")
    assert found.ids == (("3",),) and found.metadata[0] == ({"brand": "Halvick"},)


def test_a_database_that_is_missing_is_named_before_a_model_is_loaded(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "lancedb", None)
    for command in (["embed", "--corpus", "nowhere"], ["search", "--text", "a dress"]):
        assert main([*command, "--model", "no_model", "--gallery", str(tmp_path / "gallery")]) == 2
        error = capsys.readouterr().err
        assert "pip install 'hf-fashion[gallery]'" in error and "no_model" not in error


def test_bad_photos_are_all_named_before_a_model_is_loaded_or_skipped(folder, tmp_path, capsys):
    for number in range(4):
        (tmp_path / f"{number}.jpg").write_bytes(b"no photo" if number % 2 else jpeg(number))
    (tmp_path / "feed.csv").write_text("sku,image\n" + "".join(f"{n},{n}.jpg\n" for n in range(4)))
    corpus = ["--corpus", str(tmp_path / "feed.csv"), "--id_column", "sku"]
    assert main(["embed", "--model", "no_model", "--gallery", str(tmp_path / "gallery"), *corpus]) == 2
    error = capsys.readouterr().err
    assert "2 of 4 photos cannot be read" in error and "line 3 (id '1'" in error and "line 5 (id '3'" in error
    assert not (tmp_path / "gallery").exists()
    assert embed(folder, tmp_path / "gallery", *corpus, "--on_bad_image", "skip") == 0
    assert sorted(Gallery.open(tmp_path / "gallery").ids()) == ["0", "2"]


def test_a_gallery_in_milvus_is_named_by_its_uri(folder, milvus_file, capsys):
    assert embed(folder, milvus_file, "--corpus", str(folder / "photos")) == 0
    assert capsys.readouterr().out == f"{COUNT} products in {milvus_file}\n"
    search = ["search", "--model", str(folder / "e2"), "--device", "cpu", "--json", "--filter", "id <> '00.png'"]
    search += ["--image", str(folder / "photos" / "03.png"), "--gallery"]
    assert main([*search, milvus_file]) == 0
    ids = [result["id"] for result in json.loads(capsys.readouterr().out)["results"]]
    assert ids[0] == "03.png" and len(ids) == COUNT - 1
    assert main([*search, "milvus+http://127.0.0.1:1/gallery"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("hf-fashion: error: the gallery at milvus+http://127.0.0.1:1/gallery cannot be reached")


def test_another_float_type_is_another_gallery(folder, tmp_path, capsys):
    corpus = ["--corpus", str(folder / "photos")]
    assert embed(folder, tmp_path / "gallery", *corpus, "--dtype", "bfloat16") == 0
    assert embed(folder, tmp_path / "gallery", *corpus) == 2
    assert "in the float type that embedded it" in capsys.readouterr().err


def test_killed_and_started_again_it_ends_as_if_undisturbed(folder, tmp_path):
    save_photos(tmp_path / "photos", 40)
    arguments = ["--corpus", str(tmp_path / "photos"), "--batch_size", "1"]
    places = ["--model", str(folder / "e2"), "--gallery", str(tmp_path / "killed"), "--device", "cpu"]
    running = WarmProcess(["-m", "hf_fashion", "embed", *places, *arguments])
    while len(list(tmp_path.glob("killed/gallery.lance/_versions/*.manifest"))) < 4:
        assert running.poll() is None
        time.sleep(0.001)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert 0 < len(Gallery.open(tmp_path / "killed")) < 40
    assert embed(folder, tmp_path / "killed", *arguments) == embed(folder, tmp_path / "whole", *arguments) == 0
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
