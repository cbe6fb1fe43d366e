"""Photos with changes as vectors, against sums by hand."""

import pytest
import torch
from torch.nn.functional import normalize

from hf_fashion.embedding.changes.combiners import TrainedCombiner
from hf_fashion.embedding.changes.photo_changes import PhotoChanger, check_way
from hf_fashion.embedding.features import photo_inputs
from tests.tiny_combiner import tiny_combiner
from tests.tiny_e2 import tiny_image_processor, tiny_images, tiny_model, tiny_tokenizer


VALUES = {"brand": ["Nike", "Puma"], "season": ["summer", "winter"], "colour": ["Blue", "Red"]}
TAGS = {"brand": "Puma", "season": "summer", "colour": "Blue"}


def changer(*regions: str, editor=None) -> PhotoChanger:
    return PhotoChanger(tiny_model(), tiny_tokenizer(), VALUES, ["image", *regions], editor)


@pytest.fixture(scope="module")
def photo() -> dict[str, torch.Tensor]:
    embeds = changer().embed_photos(photo_inputs(tiny_image_processor(), tiny_images(2)))
    assert set(embeds) == {"image", "brand", "season"} and embeds["brand"].shape == (2, 12)
    return {space: rows[1] for space, rows in embeds.items()}


def expect(query, *parts) -> None:
    assert [(part.space, round(part.weight, 6)) for part in query.parts] == [
        (space, round(weight, 6)) for space, _, weight in parts
    ]
    for part, (_, vector, _) in zip(query.parts, parts, strict=True):
        torch.testing.assert_close(part.vector, normalize(vector, dim=-1))


def test_the_region_that_the_words_name_is_replaced(photo):
    by_region = changer("brand", "season")
    query = by_region.query(photo, "but Nike", TAGS)
    expect(query, ("brand", by_region.embed_text("Nike"), 0.5), ("season", photo["season"], 0.5))
    query = by_region.query(photo, "but Nike", TAGS, "arithmetic")
    moved = photo["image"] + by_region.embed_text("Nike summer Blue") - by_region.embed_text("Puma summer Blue")
    torch.testing.assert_close(query.vector, normalize(moved, dim=-1))


def test_words_without_a_region_move_the_photo(photo):
    by_region = changer("brand", "season")
    query = by_region.query(photo, "not Puma, in winter and red, with pockets", TAGS)
    texts = {text: by_region.embed_text(text) for text in ("winter", "Puma", "winter Red pockets", "Puma summer Blue")}
    moved = photo["image"] + texts["winter Red pockets"] - texts["Puma summer Blue"]
    parts = [("brand", -texts["Puma"], 1 / 3), ("season", texts["winter"], 1 / 3), ("image", moved, 1 / 3)]
    expect(query, *parts)


@pytest.mark.parametrize("words", ["not Puma or Nike", "not Nike, not Puma"])
def test_every_unwanted_value_of_a_region_counts(photo, words):
    by_region = changer("brand", "season")
    avoided = by_region.embed_text("Puma") + by_region.embed_text("Nike")
    expect(by_region.query(photo, words, TAGS), ("brand", -avoided, 0.5), ("season", photo["season"], 0.5))


def test_without_regions_there_is_one_vector(photo):
    plain = changer()
    moved = photo["image"] + plain.embed_text("Puma summer Red") - plain.embed_text("Puma summer Blue")
    expect(plain.query(photo, "in red", TAGS), ("image", moved, 1.0))
    moved = photo["image"] - plain.embed_text("Nike") - plain.embed_text("stripes")
    expect(plain.query(photo, "not Nike, no stripes", TAGS), ("image", moved, 1.0))


def test_text_is_the_edited_description(photo):
    plain = changer()
    expect(plain.query(photo, "in red", TAGS, "text"), ("image", plain.embed_text("Puma summer Red"), 1.0))
    vector = plain.embed_text("Puma Blue") - 0.5 * plain.embed_text("summer")
    expect(plain.query(photo, "not summer", TAGS, "text"), ("image", vector, 1.0))
    with pytest.raises(ValueError, match="leaves no tag of the photo to search by"):
        plain.query(photo, "not summer", {"season": "summer"}, "text")
    with pytest.raises(ValueError, match="edits the photo's tags, and there are none: keep them as metadata"):
        plain.query(photo, "in red", {}, "text")


def test_words_that_are_cut_are_said(photo, caplog):
    plain = changer()
    plain.query(photo, "pockets " * 50, TAGS, "text")
    assert "1 of 1 texts are longer than the" in caplog.text and "are cut" in caplog.text


def test_an_editor_writes_the_description(photo):
    by_editor = changer(editor=lambda description, words: f"{description}, {words}")
    text = by_editor.embed_text("Puma summer Blue, in red")
    expect(by_editor.query(photo, "in red", TAGS, "text"), ("image", text, 1.0))
    moved = photo["image"] + text - by_editor.embed_text("Puma summer Blue")
    expect(by_editor.query(photo, "in red", TAGS), ("image", moved, 1.0))


def test_tags_are_named_by_region_and_photo(photo):
    plain = changer()
    named = plain.name_tags(photo)
    for entity, its in VALUES.items():
        cosines = [float(photo.get(entity, photo["image"]) @ plain.embed_text(value)) for value in its]
        assert named[entity] == its[cosines.index(max(cosines))]
    assert torch.equal(plain.query(photo, "in red").vector, plain.query(photo, "in red", named).vector)


def test_a_combiner_moves_the_query_of_arithmetic(photo):
    model = tiny_combiner()
    by_region = PhotoChanger(tiny_model(), tiny_tokenizer(), VALUES, photo, combiner=TrainedCombiner(model))
    start = torch.stack([torch.zeros(12), 0.5 * by_region.embed_text("Nike"), 0.5 * photo["season"]])
    words, photos = by_region.embed_text("but Nike"), torch.stack(list(photo.values()))
    with torch.no_grad():
        moved = model(photos[None], words[None], start[None]).query_embeds[0]
    query = by_region.query(photo, "but Nike", TAGS, "combiner")
    expect(query, *((space, one, float(one.norm())) for space, one in zip(photo, moved, strict=True)))


def test_a_combiner_of_whole_photos_moves_the_photo_next_to_regions_too(photo):
    model = tiny_combiner(spaces=["image"])
    both = PhotoChanger(tiny_model(), tiny_tokenizer(), VALUES, photo, combiner=TrainedCombiner(model))
    start = both.query(photo, "but Nike", TAGS).vector
    inputs = photo["image"][None], both.embed_text("but Nike"), start[None]
    with torch.no_grad():
        moved = model(*(one[None] for one in inputs)).query_embeds[0, 0]
    expect(both.query(photo, "but Nike", TAGS, "combiner"), ("image", moved, 1.0))


def test_without_a_combiner_its_way_is_refused(photo):
    with pytest.raises(ValueError, match=r"'combiner' needs one that was trained with this model: .*--combiner"):
        changer().query(photo, "but Nike", TAGS, "combiner")


def test_a_way_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"must be one of arithmetic, text, combiner, got 'txt' \(did you mean"):
        check_way("txt")
