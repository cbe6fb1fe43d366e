"""The pipeline finds what a plain search by the same embeddings finds."""

import base64
import io

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import CLIPConfig, CLIPModel, pipeline
from transformers.pipelines.pt_utils import KeyDataset

from hf_fashion.retrieval import search as gallery_search
from tests.pipelines.searches import COUNT, by_hand, embedded_gallery, ids_of, photo_embeds, text_embeds
from tests.tiny_e2 import tiny_config, tiny_images, tiny_processor


PHOTO = tiny_images(1, seed=9)[0]
WEIGHTED = {"image": PHOTO, "terms": {"in blue": 0.8, "with buttons": -0.5}, "image_weight": 0.4}


def photo_vector() -> torch.Tensor:
    return photo_embeds([PHOTO])[0]


@pytest.mark.parametrize(
    ("query", "weights"),
    [
        (PHOTO, {"photo": 1}),
        ("a red dress", {"a red dress": 1}),
        ({"text": "a red dress"}, {"a red dress": 1}),
        ({"green shirt": 1, "buttons": -0.5}, {"green shirt": 1, "buttons": -0.5}),
        ({"buttons": -2}, {"buttons": -2}),
        ({"image": PHOTO, "text": "in blue"}, {"photo": 1, "in blue": 1}),
        (WEIGHTED, {"photo": 0.4, "in blue": 0.8, "with buttons": -0.5}),
        ({"image": PHOTO, "image_weight": -1}, {"photo": -1}),
    ],
)
def test_a_query_is_the_weighted_sum_of_its_parts(query, weights, make, gallery):
    vector = sum(
        weight * (photo_vector() if part == "photo" else text_embeds([part])[0]) for part, weight in weights.items()
    )
    ids, scores = by_hand(gallery, vector)
    results = make()(query, top_k=COUNT)
    torch.testing.assert_close(torch.tensor([result["score"] for result in results]), scores, rtol=0, atol=2e-6)
    assert ids_of(results)[:5] == ids[:5]


def test_results_tell_id_score_ranks_and_metadata(make):
    results = make()(tiny_images(COUNT)[6], top_k=2)
    assert list(results[0]) == ["id", "score", "rank", "initial_rank", "metadata"]
    assert results[0]["id"] == "p06" and results[0]["score"] == pytest.approx(1, abs=1e-5)
    assert results[0]["metadata"] == {"style": "s1", "price": 6.0, "sizes": ["S", "M"]}
    assert [(result["rank"], result["initial_rank"]) for result in results] == [(1, 1), (2, 2)]


def test_a_photo_is_read_from_its_path_and_from_an_encoded_string(make, tmp_path):
    PHOTO.save(tmp_path / "photo.png")
    buffer = io.BytesIO()
    PHOTO.save(buffer, format="png")
    encoded = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    search = make()
    expected = search(PHOTO)
    for photo in (
        tmp_path / "photo.png",
        str(tmp_path / "photo.png"),
        {"image": str(tmp_path / "photo.png")},
        encoded,
    ):
        assert search(photo) == expected
    with pytest.raises(ValueError, match=r"no\.png"):
        search("no.png")


def test_filter_and_threshold_leave_fewer(make, gallery):
    search = make()
    ids, scores = by_hand(gallery, photo_vector())
    allowed = [name for name in ids if int(name[1:]) < 5]
    assert ids_of(search(PHOTO, filter="price < 5")) == allowed
    assert ids_of(search(PHOTO, threshold=scores[3].item() - 1e-5)) == ids[:4]
    assert search(PHOTO, filter="price < 0") == search(PHOTO, threshold=1.1) == []


def best_of_styles(ids: list[str], gallery) -> list[str]:
    seen, kept = set(), []
    for name in ids:
        style = f"s{int(name[1:]) // 4}" if int(name[1:]) < COUNT - 2 else name
        kept += [] if style in seen else [name]
        seen.add(style)
    return kept


def test_groups_show_their_best_product(make, gallery):
    search = make()
    ids, _ = by_hand(gallery, photo_vector())
    expected = best_of_styles(ids, gallery)
    assert len(expected) == 8  # six styles, and two products of none
    for top_k in (1, 3, 7, 8, 20):
        results = search(PHOTO, group_by="style", top_k=top_k)
        assert ids_of(results) == expected[:top_k]
        assert [result["initial_rank"] for result in results] == list(range(1, len(results) + 1))


def test_options_of_the_pipeline_hold_until_a_call_has_others(make):
    search, plain = make(top_k=3, filter="price >= 4"), make()
    assert search(PHOTO) == plain(PHOTO, top_k=3, filter="price >= 4")
    assert search(PHOTO, top_k=2) == plain(PHOTO, top_k=2, filter="price >= 4")
    assert search(PHOTO, filter=None) == plain(PHOTO, top_k=3)
    assert search([PHOTO], filter=None, top_k=None) == [plain(PHOTO)]
    assert search({"image": PHOTO, "filter": None}) == search(PHOTO)  # as a row without a value is


def test_a_gallery_below_the_default_of_top_k_gives_all_it_has(make, gallery, tmp_path):
    small = embedded_gallery(tmp_path / "small", make().model, tiny_processor())
    small.delete(sorted(small.ids())[4:])
    assert len(make(gallery=small)(PHOTO)) == 4


def test_lists_generators_and_datasets_give_what_single_calls_give(make):
    search = make(top_k=4)
    queries = [PHOTO, "a red dress", {"green shirt": 1, "buttons": -0.5}, WEIGHTED, "a coat"]
    expected = [search(query) for query in queries]
    for found in (
        search(queries),
        search(queries, batch_size=2),
        search(queries, batch_size=8),
        list(search(query for query in queries)),
        list(search((query for query in queries), batch_size=3)),
    ):
        assert [ids_of(results) for results in found] == [ids_of(results) for results in expected]
        assert [[result["score"] for result in results] for results in found] == [
            pytest.approx([result["score"] for result in results], abs=3e-6) for results in expected
        ]


def test_a_column_of_a_dataset_is_searched_by(make):
    search = make(batch_size=2)
    rows = Dataset.from_dict({"photo": tiny_images(3), "text": ["a dress", "a coat", "shoes"]})
    photos = list(search(KeyDataset(rows, "photo")))
    assert [results[0]["id"] for results in photos] == ["p00", "p01", "p02"]
    texts = list(search(KeyDataset(rows, "text")))
    assert [ids_of(results) for results in texts] == [ids_of(search(text)) for text in rows["text"]]
    assert [ids_of(results) for results in search(rows["photo"])] == [ids_of(results) for results in photos]
    assert search(rows["text"]) == texts
    with pytest.raises(ValueError, match=r'name the column: dataset\["image"\]'):
        search(rows)


def test_every_form_of_a_photo_finds_the_same(make):
    buffer = io.BytesIO()
    PHOTO.save(buffer, format="png")
    pixels = np.array(PHOTO)
    search = make()
    expected = search(PHOTO)
    forms = [buffer.getvalue(), bytearray(buffer.getvalue()), buffer, pixels, pixels.transpose(2, 0, 1)]
    forms += [torch.from_numpy(pixels).permute(2, 0, 1), pixels / 255, {"bytes": buffer.getvalue(), "path": None}]
    for photo in forms:
        assert search(photo) == search({"image": photo}) == expected
    assert search(np.stack([pixels, pixels])) == search((PHOTO, PHOTO)) == [expected, expected]


def test_no_query_has_no_results(make):
    search = make()
    rows = Dataset.from_dict({"text": ["a dress"]}).select([])
    assert search([]) == search(()) == search(rows["text"]) == []
    assert list(search(KeyDataset(rows, "text"))) == list(search(iter(()))) == []


def test_a_query_has_options_of_its_own(make):
    search, photo = make(top_k=4), {"image": PHOTO}
    queries = [
        photo,
        photo | {"top_k": 2},
        photo | {"filter": "price < 5", "top_k": np.int64(3)},
        photo | {"filter": {"price": {"<": 5}}},
        {"text": "a dress", "group_by": "style", "threshold": None},
        {"a dress": 1, "a coat": -0.5, "top_k": 1},
    ]
    expected = [
        search(PHOTO),
        search(PHOTO, top_k=2),
        search(PHOTO, filter="price < 5", top_k=3),
        search(PHOTO, filter="price < 5"),
        search("a dress", group_by="style"),
        search({"a dress": 1, "a coat": -0.5}, top_k=1),
    ]
    assert [search(query) for query in queries] == expected
    for found in (search(queries), search(queries, batch_size=6)):
        assert [ids_of(results) for results in found] == [ids_of(results) for results in expected]
    assert len(search(photo | {"filter": "price < 2"}, filter="price < 5")) == 2


def test_where_queries_come_from_others_no_file_is_opened(make, tmp_path):
    PHOTO.save(tmp_path / "photo.png")
    encoded = base64.b64encode((tmp_path / "photo.png").read_bytes()).decode()
    search = make(allow_paths=False, allow_urls=False)
    expected = search(PHOTO)
    assert search({"image": encoded}) == search(f"data:image/png;base64,{encoded}") == expected
    for path in (str(tmp_path / "photo.png"), tmp_path / "photo.png", {"image": str(tmp_path / "photo.png")}):
        with pytest.raises(ValueError, match=r"not read from paths here \(`allow_paths` is off\): give the photo"):
            search(path)
    with pytest.raises(ValueError, match=r"not read from URLs here \(`allow_urls` is off\)"):
        search("https://shop.example/1.jpg")


def test_clip_is_searched_with_too(tmp_path):
    config = tiny_config()
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 16, "patch_size": 4}
    model = CLIPModel(CLIPConfig(text_config=config.text_config.to_dict(), vision_config=vision, projection_dim=12))
    gallery = embedded_gallery(tmp_path / "gallery", model, tiny_processor())
    search = pipeline("fashion-retrieval", model=model, processor=tiny_processor(), gallery=gallery)
    assert [results[0]["id"] for results in search(tiny_images(3))] == ["p00", "p01", "p02"]
    assert len(search("a red dress")) == 10


def test_a_model_in_training_mode_searches_in_evaluation_mode(make):
    assert not make(model=make().model.train()).model.training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "`top_k` must be from 1 to 24, the products of the gallery, got 0"),
        ({"top_k": COUNT + 1}, "`top_k` must be from 1 to 24, .* got 25"),
        ({"group_by": "stlye"}, r"one of \['style', 'price'\], got 'stlye' \(did you mean 'style'\?\)"),
        ({"group_by": "sizes"}, "one value a product"),
        ({"attribute": "neckline"}, "E2Model has no attributes, got `attribute`='neckline'"),
        ({"num_candidates": 0}, "`num_candidates` must be at least 1, .* got 0"),
        ({"num_candidates": 5}, "`num_candidates` is for a re-ranker, and there is none: give a `reranker`"),
        ({"filter": "no_column = 3"}, "filter"),
        ({"filter": ["price < 5"]}, r"`filter` must be a condition in SQL or a dict, got \['price < 5'\]"),
        ({"top_k": "3"}, "`top_k` must be a whole number, got '3'"),
        ({"top_k": True}, "`top_k` must be a whole number, got True"),
        ({"top_k": 2.5}, "`top_k` must be a whole number, got 2.5"),
        ({"threshold": "0.5"}, "`threshold` must be a number, got '0.5'"),
        ({"threshold": float("nan")}, "`threshold` must be a number, got nan"),
        ({"num_candidates": "5"}, "`num_candidates` must be a whole number, got '5'"),
        ({"group_by": 3}, "`group_by` must be the name of a metadata column, got 3"),
    ],
)
def test_options_that_cannot_be_met_are_refused(options, message, make):
    with pytest.raises(ValueError, match=message):
        make()(PHOTO, **options)
    if "attribute" not in options:
        with pytest.raises(ValueError, match=message):
            make()({"image": PHOTO} | options)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"image": PHOTO, "attribute": "neckline"}, "E2Model has no attributes"),
        ({"a dress": 1, "A dress": -1}, "weights of a query cancel out, .*: change 'a dress' 1, 'A dress' -1"),
        ({"image": PHOTO, "image_weight": 0}, "weights of a query cancel out, .*: change photo 0"),
        ({"imge": PHOTO}, "did you mean 'image'"),
        ("photos/no_such.jpg", "the photo 'photos/no_such.jpg' cannot be read: there is no such file"),
        ({"image": __file__}, r"the photo '.*\.py' cannot be read: the file is no photo that can be opened"),
    ],
)
def test_queries_that_cannot_be_embedded_are_refused(query, message, make):
    with pytest.raises(ValueError, match=message):
        make()(query)


def test_of_many_queries_the_one_that_cancels_out_is_named(make):
    queries = ["a dress", {"image": PHOTO, "text": "in blue"}, {"a coat": 2, "A coat": -2}]
    with pytest.raises(ValueError, match=r"left to search by: change 'a coat' 2, 'A coat' -2$"):
        make()(queries, batch_size=3)


def test_unknown_options_are_refused(make):
    message = r"no option `topk` \(did you mean 'top_k'\?\): its options are attribute, entity, top_k, filter"
    for search in (lambda: make(topk=3), lambda: make()(PHOTO, topk=3), lambda: make()([], topk=3)):
        with pytest.raises(TypeError, match=message):
            search()


def test_a_gallery_too_large_for_memory_gives_the_same(make, monkeypatch):
    searches = [make(top_k=5), make(top_k=6, group_by="style", filter="price > 2"), make(reranker="k_reciprocal")]
    expected = [search(PHOTO) for search in searches]
    monkeypatch.setattr(gallery_search, "EXACT_SEARCH_LIMIT", 0)
    assert [ids_of(search(PHOTO)) for search in searches] == [ids_of(results) for results in expected]
