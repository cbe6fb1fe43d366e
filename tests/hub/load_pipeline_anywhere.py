"""Run in a process of its own: loads the retrieval pipeline where hf_fashion cannot be imported.

Usage: python -I load_pipeline_anywhere.py SOURCE FOLDER, with a SOURCE that `pipeline` takes. Reads
`products.safetensors` and `image.png` from FOLDER and writes what it got to `results.json`.
"""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace


class ListedProducts:
    """A gallery that hf_fashion has no part in: what the pipeline asks of one, over a tensor."""

    def __init__(self, vectors):
        self.rows = vectors  # (N, d)

    def __len__(self):
        return len(self.rows)

    def info(self):
        return {"uri": "memory", "products": len(self), "spaces": {"image": self.rows.shape[1]}, "metadata": {}}

    def check_model(self, model, processor=None, tokenizer=None):
        pass

    def vectors(self, ids, space):
        return self.rows[[int(name) for name in ids]]

    def search(self, vectors, space, top_k, filter=None, with_vectors=False):
        found = (vectors @ self.rows.T).topk(min(top_k, len(self)))  # scores and rows, (Q, k) each
        ids = [list(map(str, rows)) for rows in found.indices.tolist()]
        return SimpleNamespace(ids=ids, scores=found.values, metadata=None, vectors=None)


def main(source: str, folder: Path) -> None:
    # An isolated interpreter has no folder of scripts to import from.
    runpy.run_path(str(Path(__file__).with_name("load_anywhere.py")))["forbid_hf_fashion"]()
    from safetensors.torch import load_file
    from transformers import pipeline

    gallery = ListedProducts(load_file(folder / "products.safetensors")["vectors"])
    search = pipeline("fashion-retrieval", model=source, trust_remote_code=True, gallery=gallery, top_k=3)
    reranked = pipeline(
        "fashion-retrieval", model=source, trust_remote_code=True, gallery=gallery, top_k=3, reranker="k_reciprocal"
    )
    results = {
        "classes": [type(part).__name__ for part in (search, search.model, search.processor)],
        "photo": search(str(folder / "image.png")),
        "terms": search([{"green shirt": 1, "buttons": -0.5}, "a red dress"], batch_size=2),
        "reranked": reranked(str(folder / "image.png")),
        "heat maps": list(search.heat_maps(str(folder / "image.png"))),
        "modules": sorted(name for name, module in sys.modules.items() if name.startswith("hf_fashion") and module),
    }
    try:
        pipeline("fashion-retrieval", model=source, trust_remote_code=True, gallery=str(folder))
    except ImportError as error:
        results["gallery"] = str(error)
    photos = dict.fromkeys(map(str, range(len(gallery))), folder / "image.png")
    shown = pipeline("fashion-retrieval", model=source, trust_remote_code=True, gallery=gallery, photos=photos)
    results["image"] = shown("a red dress")[0]["image"].size
    search.save_pretrained(folder / "saved_again")
    (folder / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
