"""Pictures show the curves of the run and the results of each tag or attribute."""

import pytest
from PIL import Image

from hf_fashion.hub.cards.facts import RunFacts
from hf_fashion.hub.cards.kinds import model_kind
from hf_fashion.hub.cards.pictures import CURVES, RESULTS, bars, card_pictures, learning_curves, save_pictures
from tests.model_cards import ATTRIBUTES, attribute_evaluation, e2_evaluation, run_facts


E2, IPAD = (model_kind({"model_type": name}) for name in ("e2", "ipad"))


def test_curves_leave_out_what_is_no_number():
    plots = learning_curves(run_facts(), "cross_modal")
    assert [curve.name for curve in plots["validation"]] == ["image to text recall@1", "text to image recall@1"]
    (loss,) = plots["loss in training"]
    assert len(loss.points) == 9 and loss.points[0] == (1, 3.0)


def test_all_losses_are_drawn_at_most_four_in_a_plot():
    run = RunFacts({}, history=[{"update": 1, **{f"loss_{number}": 1.0 for number in range(9)}}])
    plots = learning_curves(run, "cross_modal")
    assert [len(curves) for curves in plots.values()] == [4, 4, 1]
    assert list(plots) == ["loss in training", "loss in training, part 2", "loss in training, part 3"]


def test_a_run_without_history_has_no_picture():
    assert card_pictures(E2, RunFacts({}), [], {}) == card_pictures(E2, None, [], {}) == {}


def test_bars_of_tags_next_to_a_baseline():
    _, rows = bars("E2", e2_evaluation(), {"CLIP-FT": e2_evaluation()})
    assert list(rows["brand"]) == ["E2, photo", "CLIP-FT, photo", "E2, region", "chance"]


@pytest.mark.parametrize(
    ("part", "series"), [("retrieval", ["IPAD", "chance"]), ("reranking", ["before", "re-ranked"])]
)
def test_bars_of_attributes(part, series):
    evaluation = {"attributes": ATTRIBUTES, part: attribute_evaluation()[part]}
    _, rows = bars("IPAD", evaluation, {})
    assert list(rows) == ATTRIBUTES and list(rows["neckline"]) == series


def test_pictures_are_small_png_files(tmp_path):
    pictures = card_pictures(IPAD, run_facts("ipad"), [attribute_evaluation()], {})
    save_pictures(pictures, tmp_path)
    assert list(pictures) == [CURVES, RESULTS]
    for name in pictures:
        assert Image.open(tmp_path / name).format == "PNG" and (tmp_path / name).stat().st_size < 50_000
