"""Ids that several rows have."""

from datasets import DatasetDict, concatenate_datasets

from hf_fashion.audit.audited_corpus import AuditedCorpus
from hf_fashion.audit.repeated_ids import audit_ids
from hf_fashion.data.column_map import ColumnMap
from tests.data.corpora import products


def test_ids_of_several_rows_are_named_and_first_those_of_other_titles_or_labels():
    rows = products(4)
    same_product = rows.select([0, 0, 2]).map(
        lambda row, number: {"title": row["title"] if number else ""}, with_indices=True
    )
    other = rows.select([3]).map(lambda row: {"id": rows[1]["id"], "brand": "another"})
    corpus = DatasetDict(train=concatenate_datasets([rows, same_product, other]), validation=rows.select([0]))
    columns = ColumnMap(caption="title", product_id="id", tags={"brand": "brand"})
    found = audit_ids(AuditedCorpus(corpus, columns))
    ids = rows["id"][:]
    assert [(group["id"], group["rows"], group["differing"]) for group in found] == [
        (ids[1], [1, 7], ["title", "brand"]),
        (ids[0], [0, 4, 5], []),
        (ids[2], [2, 6], []),
    ]


def test_ids_are_not_looked_at_where_the_map_names_none():
    corpus = DatasetDict(train=products(3))
    assert audit_ids(AuditedCorpus(corpus, ColumnMap(caption="title"))) is None
    assert audit_ids(AuditedCorpus(corpus, ColumnMap(product_id="id"))) == []
