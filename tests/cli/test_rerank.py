"""`hf-fashion rerank`: from one process to the next, as in a shell, and queries that are products."""

import json

from hf_fashion.cli.main import main
from hf_fashion.retrieval.gallery import Gallery
from tests.cli.commands import process
from tests.tiny_feature_reasoning import tiny_feature_reasoning


def test_a_piped_search_is_re_ranked_as_the_pipeline_does(folder, searched, capsys):
    search = process(*searched("--text", "a dress", "--top_k", "6", "--json"))
    assert search.returncode == 0, search.stderr
    options = ["--reranker", str(folder / "fr"), "--num_candidates", "6"]
    reranked = process("rerank", "--gallery", str(folder / "e2_gallery"), *options, "--json", stdin=search.stdout)
    assert reranked.returncode == 0, reranked.stderr
    assert main(searched("--text", "a dress", "--top_k", "6", *options, "--json")) == 0
    at_once = json.loads(capsys.readouterr().out)
    assert json.loads(reranked.stdout)["results"] == at_once["results"] != json.loads(search.stdout)["results"]


def test_searches_of_a_file_become_tables(folder, tmp_path, capsys):
    search = {"query_id": "00.png", "space": "image", "results": [{"id": "01.png"}, {"id": "00.png"}]}
    (tmp_path / "searches.jsonl").write_text(f"{json.dumps(search)}\n{json.dumps(search)}\n")
    places = ["--gallery", str(folder / "e2_gallery"), "--searches", str(tmp_path / "searches.jsonl")]
    assert main(["rerank", *places, "--reranker", "query_expansion"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["id", "------", "00.png", "01.png"] * 2


def test_the_gallery_may_be_one_on_the_hub(folder, tmp_path, capsys, monkeypatch):
    own = Gallery.open(folder / "e2_gallery")
    monkeypatch.setattr(Gallery, "from_pretrained", {"me/my-gallery": own}.__getitem__)
    search = {"query_id": "00.png", "space": "image", "results": [{"id": "01.png"}, {"id": "00.png"}]}
    (tmp_path / "searches.jsonl").write_text(json.dumps(search))
    places = ["--gallery", "me/my-gallery", "--searches", str(tmp_path / "searches.jsonl")]
    assert main(["rerank", *places, "--reranker", "query_expansion", "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)["results"]] == ["00.png", "01.png"]


def test_a_search_of_another_form_is_said_in_one_line(folder, tmp_path, capsys):
    search = {"query_id": "00.png", "space": "image", "results": [{"id": "01.png", "initial_rank": "first"}]}
    (tmp_path / "searches.jsonl").write_text(json.dumps(search))
    places = ["--gallery", str(folder / "e2_gallery"), "--searches", str(tmp_path / "searches.jsonl")]
    assert main(["rerank", *places, "--reranker", "query_expansion"]) == 2
    assert "line 1 is not a search" in capsys.readouterr().err


def test_a_product_that_was_deleted_is_named_with_its_line(folder, tmp_path, capsys):
    search = {"query_id": "00.png", "space": "image", "results": [{"id": "01.png"}, {"id": "00.png"}]}
    gone = search | {"results": [{"id": "77777"}]}
    path = tmp_path / "searches.jsonl"
    path.write_text(f"\n{json.dumps(search)}\n{json.dumps(gone)}\n")
    places = ["--gallery", str(folder / "e2_gallery"), "--searches", str(path)]
    assert main(["rerank", *places, "--reranker", "query_expansion", "--json"]) == 2
    printed = capsys.readouterr()
    assert f"{path}, line 3: `ids` must be in the gallery, '77777' is not: if it was deleted" in printed.err
    assert [one["id"] for one in json.loads(printed.out)["results"]] == ["00.png", "01.png"]


def test_no_search_is_an_error(folder, tmp_path, capsys):
    (tmp_path / "searches.jsonl").write_text("\n")
    places = ["--gallery", str(folder / "e2_gallery"), "--searches", str(tmp_path / "searches.jsonl")]
    assert main(["rerank", *places, "--reranker", "query_expansion"]) == 2
    assert "searches.jsonl has no search: write one a line into it" in capsys.readouterr().err


def test_an_fr_of_another_embedding_model_is_refused(folder, tmp_path, capsys):
    tiny_feature_reasoning(embedder_fingerprints=["IpadModel-1"]).save_pretrained(tmp_path / "fr")
    (tmp_path / "searches.jsonl").write_text("")
    places = ["--gallery", str(folder / "e2_gallery"), "--searches", str(tmp_path / "searches.jsonl")]
    assert main(["rerank", *places, "--reranker", str(tmp_path / "fr")]) == 2
    assert "trained to re-rank the searches of IpadModel-1, these are of E2Model-" in capsys.readouterr().err
