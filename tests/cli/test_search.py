"""`hf-fashion search`: the queries, the two kinds of output, and the picture."""

import json

import pytest
from PIL import Image
from transformers import pipeline

from hf_fashion.cli.main import main
from tests.tiny_combiner import tiny_combiner


def found(searched, capsys, *more: str, model: str = "e2") -> dict:
    assert main(searched(*more, "--json", model=model)) == 0
    return json.loads(capsys.readouterr().out)


def test_a_photo_finds_itself(folder, searched, capsys):
    search = found(searched, capsys, "--image", str(folder / "photos" / "03.png"), "--top_k", "2")
    assert [result["rank"] for result in search["results"]] == [1, 2]
    assert search["results"][0]["id"] == "03.png" and search["results"][0]["score"] > 0.999
    assert search["space"] == "image" and len(search["vector"]) == 12


def test_texts_terms_and_options_are_the_pipelines(folder, searched, capsys):
    python = pipeline("fashion-retrieval", model=str(folder / "e2"), gallery=folder / "e2_gallery", device="cpu")
    options = ["--top_k", "3", "--filter", "id <> '00.png'", "--threshold", "-0.9"]
    expected = {"top_k": 3, "filter": "id <> '00.png'", "threshold": -0.9}
    search = found(searched, capsys, "--text", "a dress", *options)
    assert search["results"] == python("a dress", **expected)
    photo = str(folder / "photos" / "01.png")
    terms = ["--term", "green shirt=1", "--term", "buttons=-0.5"]
    search = found(searched, capsys, "--image", photo, "--image_weight", "0.5", *terms)
    query = {"image": photo, "image_weight": 0.5, "terms": {"green shirt": 1.0, "buttons": -0.5}}
    assert search["query"] == query and search["results"] == python(query)


def test_a_term_given_twice_is_refused(searched, capsys):
    assert main(searched("--term", "stripes=1", "--term", "stripes=-1")) == 2
    assert "`--term` must give each text one weight, got several for 'stripes'" in capsys.readouterr().err


def test_photos_are_compared_in_one_attribute(folder, searched, capsys):
    photo = ["--image", str(folder / "photos" / "02.png")]
    search = found(searched, capsys, *photo, "--attribute", "pattern", model="asen")
    assert search["space"] == "pattern" and search["results"][0]["id"] == "02.png"
    assert main(searched(*photo, "--attribute", "patern", model="asen")) == 2
    assert "did you mean 'pattern'" in capsys.readouterr().err
    assert main(searched(*photo, "--change", "in red", model="asen")) == 2
    assert "reads no text, got ['in red']" in capsys.readouterr().err


def test_regions_are_embedded_and_searched(folder, capsys, tmp_path):
    places = ["--model", str(folder / "e2"), "--gallery", str(tmp_path / "gallery"), "--device", "cpu"]
    assert main(["embed", *places, "--corpus", str(folder / "photos"), "--regions"]) == 0
    python = pipeline("fashion-retrieval", model=str(folder / "e2"), gallery=tmp_path / "gallery", device="cpu")
    capsys.readouterr()
    assert main(["search", *places, "--text", "striped", "--entity", "brand", "--json"]) == 0
    search = json.loads(capsys.readouterr().out)
    assert search["space"] == "brand" and search["results"] == python({"text": "striped", "entity": "brand"})
    assert main(["search", *places, "--text", "striped", "--late_interaction", "0.3", "--json"]) == 0
    search = json.loads(capsys.readouterr().out)
    assert search["space"] == "image" and search["results"] == python("striped", late_interaction=0.3)
    photo = ["--image", str(folder / "photos" / "01.png")]
    assert main(["search", *places, *photo, "--late_interaction", "0.3"]) == 2
    assert "`late_interaction` is for queries of texts" in capsys.readouterr().err


def test_a_photo_is_changed_by_words(folder, searched, capsys):
    python = pipeline("fashion-retrieval", model=str(folder / "e2"), gallery=folder / "e2_gallery", device="cpu")
    photo = str(folder / "photos" / "01.png")
    search = found(searched, capsys, "--image", photo, "--change", "with red stripes")
    assert search["query"] == {"image": photo, "change": "with red stripes"}
    assert search["results"] == python(search["query"]) != python(photo)
    assert main(searched("--image", photo, "--change", "in red", "--change_by", "txt")) == 2
    assert "did you mean 'text'" in capsys.readouterr().err
    assert main(searched("--image", photo, "--change_by", "text")) == 2
    assert "`change_by` says how a `change` is searched by, got a query without one" in capsys.readouterr().err


def test_a_combiner_moves_what_is_searched(folder, searched, capsys, tmp_path):
    tiny_combiner(spaces=["image"]).save_pretrained(tmp_path / "combiner")
    asked = ["--image", str(folder / "photos" / "01.png"), "--change", "with red stripes", "--change_by", "combiner"]
    search = found(searched, capsys, *asked, "--combiner", str(tmp_path / "combiner"))
    assert search["results"] != found(searched, capsys, *asked[:4])["results"]
    assert main(searched(*asked)) == 2
    assert "needs one that was trained with this model" in capsys.readouterr().err
    assert main(searched(*asked, "--combiner", str(folder / "fr"))) == 2
    assert "`combiner` must be a CombinerModel" in capsys.readouterr().err


def test_a_gallery_without_regions_says_how_to_make_one(searched, capsys):
    assert main(searched("--text", "striped", "--entity", "brand")) == 2
    assert "hf-fashion embed --regions" in capsys.readouterr().err


def test_fr_moves_what_was_found(folder, searched, capsys):
    search = found(searched, capsys, "--text", "a dress", "--reranker", str(folder / "fr"), "--num_candidates", "5")
    ranks = [result["initial_rank"] for result in search["results"]]
    assert sorted(ranks) == [1, 2, 3, 4, 5, 6, 7, 8] and ranks != sorted(ranks) and ranks[5:] == [6, 7, 8]


def test_a_table_and_a_picture(folder, searched, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    grid = ["--grid", "~/new/found.png", "--corpus", str(folder / "photos")]
    assert main(searched("--term", "a dress=1", "--top_k", "2", *grid)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("|")[1].strip() == "id" and len(lines) == 4
    with Image.open(tmp_path / "new" / "found.png") as picture:
        assert picture.width > 3 * 160 > 2 * picture.height


def test_a_product_without_a_photo_leaves_its_panel_empty(folder, searched, capsys, tmp_path, caplog):
    """Today's feed may lack a product, the file of another, and the path of a third."""
    photos = folder / "photos"
    rows = [f"{path.name},{path}" for path in sorted(photos.iterdir())[3:]]
    (tmp_path / "feed.csv").write_text("\n".join(["id,image", *rows, "01.png,", f"02.png,{tmp_path}/gone.png"]))
    grid = ["--grid", str(tmp_path / "found.png"), "--corpus", str(tmp_path / "feed.csv"), "--id_column", "id"]
    assert main(searched("--text", "a dress", "--top_k", "8", "--json", *grid)) == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 8
    assert "no photo of these products, whose panels are empty" in caplog.text
    assert "00.png" in caplog.text and "01.png" in caplog.text and "'02.png' is shown without its photo" in caplog.text
    assert (tmp_path / "found.png").is_file()


def test_results_are_printed_before_the_picture_fails(searched, capsys, tmp_path):
    grid = ["--grid", str(tmp_path / "found.png"), "--corpus", str(tmp_path / "nowhere")]
    assert main(searched("--text", "a dress", "--json", *grid)) == 2
    assert json.loads(capsys.readouterr().out)["results"]


def test_a_photo_and_its_terms_are_drawn(folder, searched, tmp_path):
    grid = ["--grid", str(tmp_path / "found.png"), "--corpus", str(folder / "photos")]
    query = ["--image", str(folder / "photos" / "03.png"), "--term", "in blue=1", "--top_k", "1"]
    assert main(searched(*query, *grid)) == 0
    with Image.open(tmp_path / "found.png") as picture, Image.open(folder / "photos" / "03.png") as photo:
        assert picture.getpixel((8 + 80, 8 + 80)) == pytest.approx(photo.getpixel((9, 10)), abs=60)
        assert picture.convert("L").crop((8, 171, 168, 200)).getextrema()[0] < 100


def test_candidates_for_no_re_ranker_are_refused(searched, capsys):
    assert main(searched("--text", "a dress", "--num_candidates", "5")) == 2
    assert "`num_candidates` is for a re-ranker, and there is none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--text", "a", "--image_weight", "0.3"], "`image_weight` 0.3 is the weight of a photo"),
        (["--text", "a", "--combiner", "c"], "--combiner moves a --change"),
        (
            ["--image", "a.png", "--change", "in red", "--change_by", "text", "--combiner", "c"],
            "--change_by is combiner or not given",
        ),
        (["--text", "a", "--id_column", "id"], "--id_column is for --corpus, whose photos --grid draws"),
    ],
)
def test_options_without_effect_are_refused(searched, capsys, options, message):
    assert main(searched(*options)) == 2
    assert message in capsys.readouterr().err
