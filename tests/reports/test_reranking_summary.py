"""What a report says of re-ranking."""

from hf_fashion.data.attributes.labels import read_labels
from hf_fashion.data.attributes.protocol import draw_protocol
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.data.generated.corpus import make_generated_corpus
from hf_fashion.evaluation.attribute_retrieval import attribute_searches
from hf_fashion.reports.reranking_summary import Reranking
from tests.tiny_attribute import tiny_asen, tiny_image_processor
from tests.tiny_feature_reasoning import tiny_feature_reasoning


def test_re_ranking_becomes_a_table_a_sentence_and_pictures(tmp_path):
    tiny_feature_reasoning().save_pretrained(tmp_path)
    column_map = ColumnMap.shipped("generated")
    model = tiny_asen(attribute_names=list(column_map.attributes), attribute_values={})
    split = make_generated_corpus(train_rows=1, validation_rows=40, image_size=32)["validation"]
    protocol = draw_protocol(read_labels(split, column_map))
    searches = attribute_searches(model, tiny_image_processor(), split, column_map, [protocol], progress=False)
    reranking = Reranking(split["image"][:], protocol, searches, tmp_path)

    ((title, (header, rows)),) = reranking.compare().items()
    assert "first 6 results" in title and len(header) == 6
    assert [row[0] for row in rows] == ["FR", "query_expansion", "k_reciprocal"]
    figures = reranking.figures["FR"]
    assert f"from a mean average precision of {100 * figures['initial_map']:.1f} %" in reranking.summarise()
    assert f"{100 * figures['share_worse']:.1f} % worse" in reranking.summarise()
    sections = dict(reranking.show(range(2)))
    assert len(sections) == len(column_map.attributes)
    assert all(section.count("<img") == 2 * 2 * 7 for section in sections.values())
