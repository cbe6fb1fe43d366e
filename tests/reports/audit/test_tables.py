"""Tables of an audit."""

from hf_fashion.reports.audit.tables import (
    attribute_cells,
    cross_modal_cells,
    summary_cells,
    tag_cells,
    value_cells,
)
from tests.reports.audit.audited import audited, with_issues


def rows_of(findings) -> dict[str, str]:
    header, rows = summary_cells(findings)
    assert header == ["found", "how many"]
    return dict(rows)


def test_the_summary_counts_each_fault():
    rows = rows_of(audited()[1])
    assert rows["the same photo, several products"] == "1 group, 2 rows"
    assert rows["validation with a photo of train"] == "1 of 20 rows (0 exactly)"
    assert rows["validation with a title of train"] == "1 of 20 rows (1 exactly)"
    assert rows["photos that cannot be read"] == "0" and rows["empty captions"] == "1"
    assert rows["values in several spellings"] == "1"
    assert rows["labels that a model does not believe"] == "not measured: no model was named"


def test_the_summary_counts_what_a_model_does_not_believe():
    rows = rows_of(with_issues(audited()[1]))
    assert rows["colour: labels that the model does not believe"] == "1 of 20 (60.0 % as the model sees them)"
    assert rows["season: labels that the model does not believe"].startswith("not judged: 3 rows")


def test_without_captions_titles_are_not_counted():
    rows = rows_of(audited()[1] | {"captions": None})
    assert not any("title" in label or "caption" in label for label in rows)


def test_each_metric_has_a_row_with_its_ceiling():
    found = audited()[1]["reachable"]["validation"]
    header, rows = cross_modal_cells(found["cross_modal"])
    assert len(rows) == 6 and {len(row) for row in rows} == {len(header)}
    own_row = dict(zip(header, rows[4], strict=True))
    assert own_row["% (chance)"] == "own_row, image to text" and own_row["queries"] == "19"
    assert own_row["R@1"] == "94.7 (5.3)" and own_row["standard error up to"] == "11.5"
    for make, name in ((tag_cells, "tags"), (attribute_cells, "attributes")):
        header, rows = make(found[name])
        assert [row[0] for row in rows] == list(found[name]) and {len(row) for row in rows} == {len(header)}
    assert attribute_cells({"neck": {"problem": "too few"}})[1] == []


def test_values_are_counted_for_each_tag_and_attribute():
    header, rows = value_cells(audited()[1])
    assert [row[0] for row in rows] == ["article_type", "brand", "colour", "pattern"]
    brand = dict(zip(header, rows[1], strict=True))
    assert (
        brand["labelled"] == "60 of 60" and brand["several spellings"] == "1" and brand["named by captions, %"] != "-"
    )
    assert {row[-1] for row in value_cells(audited()[1] | {"captions": None})[1]} == {"-"}
