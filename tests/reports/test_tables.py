"""Tables of results."""

from hf_fashion.reports.tables import attribute_cells, entity_cells, recall_cells, reranking_cells, table


METRICS = {
    f"{side}_{name}@{k}": value
    for side in ("image_to_text", "text_to_image")
    for name, value in (("recall", 0.25), ("recall_ceiling", 0.5))
    for k in (1, 5)
} | {"sum_recall": 1.0, "sum_recall_ceiling": 2.0}


def test_recall_and_its_ceiling_in_percent():
    lines = table(*recall_cells(METRICS)).splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[1:-1]] == ["% (ceiling)", "R@1", "R@5"]
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["image to text", "25.0 (50.0)", "25.0 (50.0)"]
    assert [cell.strip() for cell in lines[4].split("|")[1:-1]] == ["SumR", "100.0 (200.0)", ""]
    assert len({len(line) for line in lines}) == 1


def test_recall_without_a_ceiling():
    metrics = {name: value for name, value in METRICS.items() if "ceiling" not in name}
    assert "| 25.0 |" in table(*recall_cells(metrics))


def test_entities_without_metrics_are_left_out_and_gaps_are_marked():
    metrics = {"brand_num_tags": 3, "brand_image_accuracy": 0.125}
    columns = {"tags": "num_tags", "image": "image_accuracy", "region": "region_accuracy"}
    lines = table(*entity_cells(metrics, ["brand", "season"], columns)).splitlines()
    assert len(lines) == 3
    assert [cell.strip() for cell in lines[2].split("|")[1:-1]] == ["brand", "3", "12.5", "-"]


def test_attributes_come_before_the_means_over_queries_and_attributes():
    metrics = {"neck_map": 0.5, "neck_map_chance": 0.25, "neck_num_queries": 3, "neck_num_candidates": 12}
    metrics |= {"map": 0.75, "map_chance": 0.125, "mean_attribute_map": 0.625, "mean_attribute_map_chance": 0.0}
    lines = table(*attribute_cells(metrics | {"num_queries": 9}, ["neck", "hem"])).splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert rows[0] == ["", "queries", "candidates", "MAP", "chance"]
    assert rows[2] == ["neck", "3", "12", "50.0", "25.0"]
    assert rows[3:] == [["all queries", "9", "", "75.0", "12.5"], ["mean of attributes", "", "", "62.5", "0.0"]]


def test_re_rankers_have_a_row_each():
    found = {"initial_map": 0.5, "map": 0.75, "mean_attribute_map": 0.625, "share_better": 0.25, "share_worse": 0.0}
    header, rows = reranking_cells({"FR": found})
    assert header == ["re-ranker", "MAP before", "MAP", "mean of attributes", "better queries", "worse"]
    assert rows == [["FR", "50.0", "75.0", "62.5", "25.0", "0.0"]]


def test_a_cell_is_one_line_whatever_is_in_it():
    lines = table(["id", "tit|le"], [["a\nb", "c | d"], ["\x1b[31mred", "x\u2028y"]]).splitlines()
    assert lines == [
        r"| id          | tit\|le |",
        r"| ----------- | ------: |",
        r"| a b         |  c \| d |",
        r"| \x1b[31mred |     x y |",
    ]


def test_wide_characters_take_two_columns():
    lines = table(["id", "title"], [["p1", "外套"], ["コート", "e\u0301te\u0301"]]).splitlines()
    assert lines[2:] == ["| p1     |  外套 |", "| コート |   e\u0301te\u0301 |"]
