"""Text tables of an evaluation: a title above each part, and only the parts that were measured."""

from hf_fashion.reports.evaluation_tables import evaluation_tables


HEAD = {"model": "runs/e2", "corpus": "generated", "split": "validation"}
RECALL = {f"{way}_recall@1": 0.25 for way in ("image_to_text", "text_to_image")} | {"sum_recall": 0.5}
CROSS_MODAL = RECALL | {"num_images": 24, "num_texts": 20, "protocol": "full", "pairing": "own_row"}
RERANKED = {"initial_map": 0.5, "map": 0.75, "mean_attribute_map": 0.5, "share_better": 0.5, "share_worse": 0.0}


def test_a_model_that_reads_text():
    tags = {"brand_num_tags": 3, "brand_image_accuracy": 0.125}
    localisation = {"rows": ["brand_layer_1"], "brand_layer_1_num_images": 9}
    results = HEAD | {"cross_modal": CROSS_MODAL, "entities": ["brand"], "tags": tags, "localisation": localisation}
    printed = evaluation_tables(results | {"reranking": {"k_reciprocal": RERANKED}})
    blocks = printed.split("\n\n")
    assert blocks[0] == "\nruns/e2 on generated (validation): 24 photos, 20 texts, full, own_row"
    assert blocks[2::2] == [
        "Tags, zero-shot, and photos by tag (%)",
        "Selected patches and true boxes (%)",
        "Re-ranking of the first photos, among all candidates (%)",
    ]
    for block, row in zip(blocks[1::2], ("image to text", "brand", "brand_layer_1", "k_reciprocal"), strict=True):
        assert f"| {row}" in block


def test_photos_with_changes():
    changes = {"entities": ["dress"], "rows": ["sum", "regions"], "dress_sum_recall@10": 0.25}
    blocks = evaluation_tables(HEAD | {"fashion_iq": changes}).split("\n\n")
    assert blocks[0].startswith("\nruns/e2 on generated (validation): Photo and a change")
    assert "| dress |     sum | 25.0 |    - |" in blocks[1] and "| regions |" in blocks[1] and len(blocks) == 2
    lost = {"dress_num_left_out_queries": 2, "dress_num_left_out_photos": 3}
    *_, said = evaluation_tables(HEAD | {"fashion_iq": changes | lost}).split("\n\n")
    assert said.startswith("2 queries and 3 photos to search are left out") and "not comparable" in said
    printed = evaluation_tables(HEAD | {"cross_modal": CROSS_MODAL, "entities": ["dress"], "changes": changes})
    assert printed.split("\n\n")[3] == blocks[1]


def test_an_attribute_specific_model():
    retrieval = {"hem_map": 0.5, "hem_num_queries": 3, "map": 0.5, "map_chance": 0.25, "num_queries": 3}
    retrieval |= {"mean_attribute_map": 0.5, "mean_attribute_map_chance": 0.25, "num_without_match": 2}
    results = HEAD | {"attributes": ["hem"], "retrieval": retrieval}
    blocks = evaluation_tables(results).split("\n\n")
    assert blocks[0].endswith("(validation): search by attribute (%)") and "| hem" in blocks[1]
    assert blocks[2:] == ["2 queries without a right candidate count as 0."]
    results["retrieval"] = retrieval | {"num_without_match": 0}
    results |= {"pointing": {"hem_num_images": 4, "hem_centre_inside": 0.5}, "reranking": {"FR": RERANKED}}
    blocks = evaluation_tables(results).split("\n\n")
    assert blocks[2::2] == ["Peak of the attention and true boxes (%)", "Re-ranking of the first candidates (%)"]
    assert "|          50.0 |" in blocks[3] and "| FR" in blocks[5]
