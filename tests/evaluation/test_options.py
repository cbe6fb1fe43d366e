"""Options of an evaluation: which values are refused."""

import pytest

from hf_fashion.evaluation.options import PAIRINGS, PROTOCOLS, AttributeOptions, E2Options, check_protocol


def test_known_protocols_pass():
    assert PROTOCOLS == ("full", "sample100")
    check_protocol("sample100", "season")
    check_protocol("full", None)
    assert E2Options().pairing in PAIRINGS


@pytest.mark.parametrize(
    ("protocol", "message"), [("half", "`protocol` must be one of"), ("sample100", "give `group_column`")]
)
def test_a_protocol_is_checked_before_anything_is_loaded(protocol, message):
    with pytest.raises(ValueError, match=message):
        check_protocol(protocol, None)
    with pytest.raises(ValueError, match=message):
        E2Options(protocol=protocol)


def test_a_group_that_no_negatives_are_drawn_from_is_refused():
    with pytest.raises(ValueError, match=r"`group_column` 'season' is for the protocol sample100: set it, or leave"):
        E2Options(group_column="season")


@pytest.mark.parametrize("given", [{"queries": "query.txt"}, {"candidates": "candidate.txt"}])
def test_published_lists_go_together(given):
    with pytest.raises(ValueError, match="go together: give both files or none"):
        AttributeOptions(**given)
    assert AttributeOptions(queries="query.txt", candidates="candidate.txt").queries == "query.txt"


def test_a_combiner_without_queries_to_combine_is_refused():
    with pytest.raises(ValueError, match="`combiner` 'runs/combiner' is for queries of a photo and a change"):
        E2Options(combiner="runs/combiner")
    assert E2Options(combiner="runs/combiner", changes=True).combiner == "runs/combiner"
