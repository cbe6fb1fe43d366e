"""Captions that are empty, short, cut, or silent about tags."""

from datasets import Dataset, DatasetDict, Features, Image, Value

from hf_fashion.audit.audited_corpus import AuditedCorpus
from hf_fashion.audit.captions import audit_captions, named_values
from hf_fashion.data.column_map import ColumnMap
from tests.data.corpora import jpeg


def corpus(captions: list[str | None]) -> AuditedCorpus:
    columns = {"image": [{"bytes": jpeg(0), "path": None}] * len(captions), "title": captions}
    features = Features({"image": Image(), "title": Value("string")})
    return AuditedCorpus(DatasetDict(train=Dataset.from_dict(columns, features=features)), ColumnMap(caption="title"))


def test_empty_short_and_long_captions_are_found():
    found = audit_captions(
        corpus(["a red dress", None, "nan", "dress", "a red dress " * 26, "dress 12345678901234567890 " * 5])
    )
    assert (found["empty"], found["short"], found["cut"]) == ([1, 2], [3], [4, 5])
    assert found["words"] == {"median": 6.5, "95 %": found["words"]["95 %"], "max": 78.0}
    assert not found["counted"] and found["captions"] == 4


def test_tokens_are_counted_where_they_are_given():
    found = audit_captions(corpus(["a red dress", None, "a coat"]), [5, 4], limit=4)
    assert found["cut"] == [0] and found["counted"]


def test_a_corpus_of_empty_captions_has_no_words():
    found = audit_captions(corpus([None, ""]))
    assert found["empty"] == [0, 1] and found["words"]["max"] == 0 and found["named"] == {}


def test_captions_name_values_by_their_words():
    captions = ["Blue T-shirt", "A light-blue coat", "Bluebell dress", None, "Navy-blue skirt"]
    found = named_values(captions, [["blue"], ["light blue"], ["blue"], ["blue"], ["green", "NAVY BLUE"]])
    assert found == {"num_rows": 4, "share": 0.75, "never": {}}


def test_frequent_values_that_no_caption_names_are_listed():
    found = named_values(["a dress"] * 25, [["fall"]] * 12 + [["summer"]] * 3 + [["dress"]] * 10)
    assert found == {"num_rows": 25, "share": 0.4, "never": {"fall": 12}}
