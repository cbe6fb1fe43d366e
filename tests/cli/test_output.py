"""Results as a table for people and as a line of JSON for programs."""

import datetime
import json

from hf_fashion.cli.output import print_search, results_table


def test_long_metadata_are_cut_and_missing_ones_are_dashes():
    result = {
        "id": "p1",
        "score": 0.5,
        "rank": 1,
        "initial_rank": 2,
        "metadata": {"title": "word " * 20, "brand": None},
    }
    row = results_table([result]).splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")][1:5] == ["p1", "1", "2", "0.500"]
    assert "..." in row and len(row) < 90 and row.endswith("  - |")
    assert results_table([]) == "nothing found"


def test_results_need_no_metadata():
    results = [{"id": f"p{rank}", "rank": rank, "initial_rank": rank} for rank in (1, 2)]
    results[1]["metadata"] = {"brand": "Lumaro"}
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in results_table(results).splitlines()]
    assert rows[0] == ["id", "rank", "score", "brand"]  # nothing has moved
    assert rows[2:] == [["p1", "1", "-", "-"], ["p2", "2", "-", "Lumaro"]]


def test_a_search_is_printed_as_one_line_of_json_or_as_a_table(capsys):
    result = {"id": "p1", "score": 0.5, "rank": 1, "initial_rank": 1, "metadata": {"added": datetime.date(2026, 1, 2)}}
    print_search({"space": "image", "results": [result]}, as_json=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["results"][0]["metadata"] == {"added": "2026-01-02"}
    print_search({"space": "image", "results": [result]}, as_json=False)
    assert capsys.readouterr().out == results_table([result]) + "\n"
