"""Run in a process of its own by test_round_trip.py: uses pushed models where hf_fashion cannot be imported.

Usage: python -I round_trip_anywhere.py FOLDER. Reads the photos of FOLDER, runs the card's code that needs no
hf_fashion, and writes what the models `tester/e2` and `tester/fr` gave to `results.json`.
"""

import json
import re
import runpy
import sys
from pathlib import Path


TEXTS = ["a red dress", "a blue dress"]
NUM_CANDIDATES = 6


def main(folder: Path) -> None:
    runpy.run_path(str(Path(__file__).with_name("load_anywhere.py")))["forbid_hf_fashion"]()
    import torch
    from huggingface_hub import ModelCard
    from sentence_transformers import SentenceTransformer
    from transformers import AutoModel, pipeline

    trust = {"trust_remote_code": True}
    card = ModelCard.load("tester/e2")
    card.validate()
    for block in re.findall(r"^```python\n(.*?)^```", card.text, re.MULTILINE | re.DOTALL):
        if "import hf_fashion" not in block:
            exec(compile(block, "README.md", "exec"), {})

    photos = [str(path) for path in sorted((folder / "products").glob("*.png"))]
    classify = pipeline("zero-shot-image-classification", model="tester/e2", **trust)
    encoder = SentenceTransformer("tester/e2", device="cpu", **trust)
    queries, products = (torch.as_tensor(encoder.encode(inputs)) for inputs in (TEXTS, photos))
    scores, rows = (queries @ products.T).topk(NUM_CANDIDATES)
    reranker = AutoModel.from_pretrained("tester/fr", **trust).eval()
    order = reranker.rerank(queries, products[rows]).argsort(dim=1, descending=True, stable=True)
    results = {
        "labels": classify(photos[0], candidate_labels=["red", "blue"]),
        "task": pipeline(model="tester/e2", **trust).task,
        "scores": scores.tolist(),
        "ids": rows.tolist(),
        "reranked": rows.gather(1, order).tolist(),
        "evaluations": [[one.metric_type, one.metric_value] for one in card.data.eval_results],
    }
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
