"""The training of attribute models from outside: it is repeatable, survives a kill, and two processes are one."""

import itertools

import pytest
import torch
from datasets import load_from_disk
from safetensors.torch import load_file

from hf_fashion.cli.main import parse_arguments
from hf_fashion.data.column_map import ColumnMap
from hf_fashion.embedding.attribute_texts import embed_attribute_texts
from hf_fashion.losses.attribute import published_weights
from hf_fashion.models.attribute import modeling_asen
from hf_fashion.models.attribute.backbone_attribute import feature_map
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.training.attribute.step import AttributeStep
from hf_fashion.training.attribute.validation import draw_validation_lists, validate
from tests.scripts.tiny_attribute_run import (
    ASEN,
    CONVNEXT,
    IPAD,
    LOCAL,
    tiny_attribute_corpus,
    tiny_attribute_recipe,
)
from tests.scripts.tiny_run import history, kill_at, start, train
from tests.tower_folders import bert_folder


PK = {"kind": "pk", "batches_an_epoch": 2, "values_per_group": 2, "images_per_value": 2, "attributes_per_batch": 2}
TRIPLETS = {"kind": "triplets", "triplets_an_epoch": 8, "extra_views": 2}
STAGES = [{"epochs": 1, "learning_rate": 1e-3}]


@pytest.fixture
def corpus(tmp_path):
    tiny_attribute_corpus(tmp_path)
    return tmp_path


@pytest.fixture
def main(fresh_accelerate):
    """The command in this process."""

    def run(*arguments: object) -> None:
        parsed = parse_arguments(["train", "attribute", *map(str, arguments)])
        parsed.run(parsed)

    return run


def weights(run):
    return load_file(run / "last" / "model.safetensors")


def test_killed_and_resumed_equals_never_killed(corpus):
    """IPAD with all its losses, dropout and extra views; killed within an epoch, with queues and a momentum copy."""
    stages = [
        {"epochs": 1, "learning_rate": 1e-3, "losses": {"global_triplet": 1.0, "local_triplet": 0.1}},
        {"epochs": 2.5, "learning_rate": 1e-2, "learning_rates": {"semantics": 1e-3}, "decay": 0.5}
        | {"losses": published_weights("ipad")},
    ]
    recipe = tiny_attribute_recipe(corpus, IPAD, TRIPLETS, stages=stages, save_every=1)
    train(recipe, "--output_dir", str(corpus / "whole"), model="attribute")

    process = start(recipe, "--output_dir", str(corpus / "killed"), model="attribute")
    kill_at(process, corpus / "killed", 6)
    train(recipe, "--output_dir", str(corpus / "killed"), "--resume_from_checkpoint", "latest", model="attribute")

    losses = history(corpus / "whole")
    assert history(corpus / "killed") == losses
    assert any(entry.get("global_centre", 0) > 0 and entry.get("local_centre", 0) > 0 for entry in losses)
    resumed, whole = weights(corpus / "killed"), weights(corpus / "whole")
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())


def test_two_processes_learn_what_one_learns(corpus):
    """Two processes with half a batch each take the steps of one with the whole batch; dropout apart.

    The losses of the first stage do not use one branch: no process may wait for its gradients.
    """
    config = IPAD["config"] | {"backbone_config": CONVNEXT, "dropout": 0.0}
    recipe = tiny_attribute_recipe(
        corpus,
        IPAD | {"config": config},
        TRIPLETS | {"extra_views": 0},
        stages=[*STAGES, {"epochs": 1.5, "learning_rate": 1e-3, "losses": published_weights("ipad")}],
    )
    one = ("training.batch_size=4", "--output_dir", str(corpus / "one"))
    train(recipe, "--set", *one, model="attribute")
    train(recipe, "--output_dir", str(corpus / "two"), processes=2, model="attribute")
    one, two = history(corpus / "one"), history(corpus / "two")
    assert [entry["update"] for entry in one] == [entry["update"] for entry in two]
    for first, second in zip(one, two, strict=True):
        assert second == pytest.approx(first, rel=1e-4, abs=1e-6)


def test_asen_goes_on_as_asen_plus_plus(corpus, main):
    recipe = tiny_attribute_recipe(corpus, ASEN, TRIPLETS, stages=STAGES)
    main(recipe, "--output_dir", corpus / "asen")
    asen = AsenModel.from_pretrained(corpus / "asen" / "best")
    assert asen.config.attribute_values == {"colour": ["blue", "green", "red"], "place": ["bottom", "middle", "top"]}

    stages = [
        {"epochs": 1, "learning_rate": 0.0, "learning_rates": {"local_branch": 1e-2}}
        | {"losses": published_weights("asen++")}
    ]
    model = {"architecture": "asen", "start_from": str(corpus / "asen" / "last"), "config": LOCAL}
    recipe = tiny_attribute_recipe(corpus, model, PK, {"source_size": 48}, stages=stages)
    main(recipe)
    before, after = weights(corpus / "asen"), weights(corpus / "run")
    kept = [name for name in before if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))]
    assert all(torch.equal(before[name], after[name]) for name in kept)
    assert any(name.startswith("local_branch") for name in after)
    assert AttributeImageProcessorPil.from_pretrained(corpus / "run" / "best").do_source
    recorded = history(corpus / "run")
    assert {"loss", *published_weights("asen++"), "learning_rate"} <= set(recorded[0])
    assert recorded[-1]["validation/num_queries"] > 0 and "validation/place_map_chance" in recorded[-1]


def test_frozen_layers_stay_and_bfloat16_has_the_faster_attention(corpus, main, monkeypatch):
    """IPAD with all its losses, on a CPU in bfloat16: the model and its momentum copy."""
    used, update = set(), AttributeStep.after_update

    def after_update(self, model):
        copies = [model, self.diverging.encoder.model]
        used.update(copy.semantics.vit.config._attn_implementation for copy in copies)
        update(self, model)

    monkeypatch.setattr(AttributeStep, "after_update", after_update)
    stages = [{"epochs": 1, "learning_rate": 1e-3, "learning_rates": {"semantics.vit": 0.0}}]
    stages[0]["losses"] = published_weights("ipad")
    recipe = tiny_attribute_recipe(corpus, IPAD, PK, stages=stages, mixed_precision="bf16")
    main(recipe, "--output_dir", corpus / "one")
    main(recipe, "--output_dir", corpus / "two", "--set", "training.stages.0.learning_rate=2.0e-3")
    assert used == {"eager"}
    one, two = weights(corpus / "one"), weights(corpus / "two")
    same = {name for name in one if one[name].equal(two[name])}
    assert {name for name in one if name.startswith("semantics.vit.")} <= same and len(same) < len(one)


def test_two_processes_share_centres_in_bfloat16(corpus):
    stages = [{"epochs": 1, "learning_rate": 1e-3, "losses": published_weights("ipad")}]
    recipe = tiny_attribute_recipe(corpus, IPAD, TRIPLETS, stages=stages, mixed_precision="bf16")
    train(recipe, processes=2, model="attribute")
    assert any(entry.get("global_centre", 0) > 0 for entry in history(corpus / "run"))


def test_a_model_that_is_trained_under_autocast_is_validated_in_its_own_precision(corpus, main, monkeypatch):
    """So that its metrics are those of its export."""
    stages = [{"epochs": 1, "learning_rate": 1e-3}, {"epochs": 1, "learning_rate": 1e-2}]
    recipe = tiny_attribute_recipe(corpus, ASEN, TRIPLETS, stages=stages, mixed_precision="bf16")
    passes = []

    def watched(backbone, *args, **kwargs):
        passes.append((backbone.training, torch.is_autocast_enabled("cpu")))
        return feature_map(backbone, *args, **kwargs)

    monkeypatch.setattr(modeling_asen, "feature_map", watched)
    main(recipe)
    assert [each for each, _ in itertools.groupby(passes)] == [(True, True), (False, False)] * 2
    last, folder = history(corpus / "run")[-1], corpus / "run" / "last"
    model, processor = (kind.from_pretrained(folder) for kind in (AsenModel, AttributeImageProcessorPil))
    rows, column_map = load_from_disk(corpus / "corpus")["validation"], ColumnMap.from_yaml(corpus / "map.yaml")
    found = validate(model, processor, rows, column_map, draw_validation_lists(rows, column_map))
    assert found == {name: last[f"validation/{name}"] for name in found}


def test_an_attribute_that_a_continued_model_lacks_is_said(corpus, main, caplog):
    one = PK | {"attributes_per_batch": 1}
    recipe = tiny_attribute_recipe(corpus, ASEN, one, {"attributes": ["colour"]}, stages=STAGES)
    main(recipe, "--output_dir", corpus / "asen")
    assert "are not trained" not in caplog.text
    model = {"architecture": "asen", "start_from": str(corpus / "asen" / "last")}
    main(tiny_attribute_recipe(corpus, model, one, stages=STAGES))
    assert "has the attributes ['colour']: ['place'] are not trained. `hf-fashion add-attribute`" in caplog.text
    assert AsenModel.from_pretrained(corpus / "run" / "last").config.attribute_names == ["colour"]


def test_the_same_seed_gives_the_same_run(corpus, main):
    recipe = tiny_attribute_recipe(corpus, ASEN, PK, stages=STAGES)
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        main(recipe, "--set", f"training.seed={seed}", "--output_dir", corpus / name)
    first, again, other = (history(corpus / name) for name in ("first", "again", "other"))
    assert first == again and first != other


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("sampling.kinds=pk", "unknown key 'kinds'.*kind"),
        ("data.attributes=[color]", "'color'.*colour"),
        ("model.config.head_dim=2", "unknown key 'head_dim'"),
        ("sampling.attributes_per_batch=3", "`attributes_per_batch` is 3, and only 2 of .* set it to 2"),
    ],
)
def test_mistakes_are_named_before_training(corpus, main, change, message):
    with pytest.raises(ValueError, match=message):
        main(tiny_attribute_recipe(corpus, ASEN, PK, stages=STAGES), "--set", change)
    assert not (corpus / "run").exists()


def test_an_attribute_with_too_few_images_is_named_before_training(tmp_path, main):
    tiny_attribute_corpus(tmp_path, validation_rows=5)
    with pytest.raises(ValueError, match=r"validation split: attribute 'place'.*labelled images"):
        main(tiny_attribute_recipe(tmp_path, ASEN, PK, stages=STAGES))
    assert not (tmp_path / "run").exists()


def test_attributes_given_by_text_are_trained_and_one_is_added_by_its_name(corpus, main):
    """The projection learns and the texts do not; a run goes on from it with the texts that it has."""
    encoder = bert_folder(corpus / "bert")
    recipe = tiny_attribute_recipe(corpus, ASEN | {"attribute_texts": encoder}, PK, stages=STAGES)
    main(recipe)
    trained, continued = weights(corpus / "run"), corpus / "continued"
    texts = embed_attribute_texts(encoder, {"colour": ["blue", "green", "red"], "place": ["bottom", "middle", "top"]})
    torch.testing.assert_close(trained["attribute_embedding.texts"], texts)
    model = AsenModel.from_pretrained(corpus / "run" / "last")
    model.add_attribute("size", text_embeds=embed_attribute_texts(encoder, {"size": []})[0])
    assert model.attribute_rows().isfinite().all() and len(model.attribute_rows()) == 3

    start_from = {"architecture": "asen", "start_from": str(corpus / "run" / "last")}
    main(tiny_attribute_recipe(corpus, start_from, PK, stages=STAGES), "--output_dir", continued)
    again = weights(continued)
    assert torch.equal(again["attribute_embedding.texts"], trained["attribute_embedding.texts"])
    projection = "attribute_embedding.projection.weight"
    assert not torch.equal(again[projection], trained[projection])


def test_losses_of_a_later_stage_without_their_branch_are_said_before_the_first(corpus, main):
    losses = [{"global_triplet": 1.0}, {"global_triplet": 1.0, "local_triplet": 0.1}]
    stages = [{"epochs": 1, "learning_rate": 1e-3, "losses": weights} for weights in losses]
    with pytest.raises(ValueError, match=r"stages\[1\]\.losses` names local_triplet"):
        main(tiny_attribute_recipe(corpus, ASEN, PK, stages=stages))
    assert not (corpus / "run" / "checkpoints").exists()
