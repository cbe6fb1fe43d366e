"""Configuration, model and processors of a run: new, continued, with a branch added, around pretrained backbones."""

from dataclasses import replace

import pytest
import torch
from transformers import Dinov2Config, Dinov2Model, MobileNetV2ForImageClassification

from hf_fashion.data.attributes.labels import AttributeLabels
from hf_fashion.data.attributes.vocabulary import AttributeVocabulary
from hf_fashion.data.samplers.pk_batches import PKBatchSampler
from hf_fashion.data.samplers.triplet_batches import TripletBatchSampler
from hf_fashion.models.attribute.image_processing_attribute import AttributeImageProcessorPil
from hf_fashion.models.attribute.modeling_asen import AsenModel
from hf_fashion.models.attribute.modeling_ipad import IpadModel
from hf_fashion.training.attribute.build import (
    CLASSES,
    make_batch_sampler,
    make_config,
    make_diverging,
    make_model,
    make_processors,
    square_processor,
)
from hf_fashion.training.attribute.recipe import (
    AttributeDataRecipe,
    AttributeModelRecipe,
    AttributeRecipe,
    AttributeStageRecipe,
    AttributeTrainingRecipe,
    DivergingRecipe,
    SamplingRecipe,
)
from tests.models.attribute.tiny_bare_backbones import tiny_bare_config
from tests.scripts.tiny_attribute_run import BACKBONE, IPAD, LOCAL, SIZES
from tests.tiny_attribute import tiny_asen
from tests.tiny_ipad import tiny_dinov2_fields, tiny_ipad
from tests.training.every_recipe import RECIPES, recipe_class


VOCABULARY = AttributeVocabulary(["neck", "hem"], {"neck": ["v", "round"], "hem": ["short", "long"]})


def build(**fields):
    recipe = AttributeModelRecipe(**fields)
    return make_model(recipe, make_config(recipe, VOCABULARY))


@pytest.fixture
def asen(tmp_path):
    """A checkpoint in half precision, with the attributes of the tiny models."""
    model = tiny_asen()
    model.half().save_pretrained(tmp_path / "asen")
    square_processor(40).save_pretrained(tmp_path / "asen")
    return model, str(tmp_path / "asen")


def test_a_new_model_has_the_corpus_attributes_and_the_recipe_fields():
    model = build(config=SIZES)
    assert isinstance(model, AsenModel) and model.local_branch is None
    assert model.config.attribute_names == ["neck", "hem"]
    assert model.config.attribute_values == VOCABULARY.attribute_values
    assert model.config.embedding_dim == 8
    assert isinstance(build(**IPAD), IpadModel)


@pytest.mark.parametrize(
    "path",
    [path for path in RECIPES if recipe_class(path) is AttributeRecipe],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_every_recipe_has_the_parts_that_its_stages_train(path):
    recipe = AttributeRecipe.read(path)
    config = make_config(replace(recipe.model, start_from=None), VOCABULARY)
    with torch.device("meta"):
        model = CLASSES[recipe.model.architecture][1](config)
    for stage in recipe.training.stages:
        for prefix in stage.learning_rates:
            assert any(name.startswith(prefix) for name, _ in model.named_parameters())
        local = model.local_branch if recipe.model.architecture == "asen" else model.semantics
        assert local is not None or stage.losses.keys() == {"global_triplet"}


def test_a_continued_model_keeps_its_attributes_and_weights(asen):
    model, folder = asen
    continued = build(start_from=folder, config={"crop_threshold": 0.3})
    assert continued.config.attribute_names == model.config.attribute_names
    assert continued.config.crop_threshold == 0.3
    assert continued.dtype == torch.float32, "half-precision weights would not take small steps"
    weights = continued.state_dict()
    assert all(torch.equal(weights[name], tensor.to(weights[name])) for name, tensor in model.state_dict().items())


def test_a_local_branch_is_added_with_weights_of_its_own(asen):
    model, folder = asen
    wider = build(start_from=folder, config=LOCAL)
    weights = wider.state_dict()
    assert all(torch.equal(weights[name], tensor.to(weights[name])) for name, tensor in model.state_dict().items())
    added = {name: tensor for name, tensor in weights.items() if name.startswith("local_branch")}
    assert added and all(tensor.isfinite().all() for tensor in added.values())
    for name, tensor in added.items():
        if name.endswith(("running_mean", "running_var")):
            assert (tensor == name.endswith("var")).all(), "statistics start at mean 0 and variance 1"
        elif name.endswith("weight") and tensor.ndim > 1:
            assert tensor.std() > 0
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert wider.eval()(pixels).local_embeds.isfinite().all()


def test_ipad_gets_its_semantic_branch_later_and_vit_fields_join_those_there_are(tmp_path):
    alone = tiny_ipad(use_semantic_branch=False)
    alone.save_pretrained(tmp_path)
    config = {"use_semantic_branch": True, "vit_config": {"hidden_dropout_prob": 0.5}}
    both = build(architecture="ipad", start_from=str(tmp_path), config=config)
    assert both.semantics is not None and both.config.vit_config.hidden_dropout_prob == 0.5
    assert both.config.vit_config.hidden_size == alone.config.vit_config.hidden_size
    weights = both.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in alone.state_dict().items())


@pytest.mark.parametrize("fields", [{}, tiny_dinov2_fields()], ids=["as in the checkpoint", "named"])
@pytest.mark.parametrize("is_new", [True, False])
def test_ipads_regions_go_to_a_pretrained_dinov2(tmp_path, is_new, fields):
    """Also where the first stage was saved with the configuration of a ViT, which its region branch would have had."""
    dinov2 = Dinov2Model(Dinov2Config(**tiny_dinov2_fields()))
    dinov2.save_pretrained(tmp_path / "dinov2")
    tiny_ipad(use_semantic_branch=False).save_pretrained(tmp_path / "first")
    config = {"use_semantic_branch": True, "vit_config": fields, "region_size": 20} | (SIZES if is_new else {})
    start = {} if is_new else {"start_from": str(tmp_path / "first")}
    model = build(architecture="ipad", local_backbone=str(tmp_path / "dinov2"), config=config, **start)
    found, expected = model.config.vit_config.to_dict(), Dinov2Config(**tiny_dinov2_fields()).to_dict()
    assert found | {"dtype": None} == expected, "nothing is left of a ViT's fields"
    assert model.config.region_edge == 20
    weights = dinov2.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.semantics.vit.state_dict().items())


def test_pretrained_backbones_of_new_and_of_added_branches(asen, tmp_path):
    pretrained = AsenModel(make_config(AttributeModelRecipe(config=SIZES), VOCABULARY)).global_branch.backbone
    torch.nn.init.constant_(pretrained.embedder.embedder.convolution.weight, 0.25)
    pretrained.save_pretrained(tmp_path / "resnet")
    folder = str(tmp_path / "resnet")

    def first_weight(branch):
        return branch.backbone.embedder.embedder.convolution.weight

    both = build(backbone=folder, local_backbone=folder, config=SIZES | LOCAL)
    added = build(start_from=asen[1], local_backbone=folder, config=LOCAL)
    alone = build(local_backbone=folder, config=SIZES | LOCAL)
    for branch in (both.global_branch, both.local_branch, added.local_branch, alone.local_branch):
        assert (first_weight(branch) == 0.25).all()
    assert (first_weight(alone.global_branch) != 0.25).all()


def test_a_backbones_configuration_without_a_model_type_changes_that_of_its_checkpoint(tmp_path):
    source = MobileNetV2ForImageClassification(tiny_bare_config("mobilenet_v2", tf_padding=False, num_labels=5))
    source.save_pretrained(tmp_path)
    stride = {"backbone_config": {"feature_stride": 16}, "local_backbone_config": {"feature_stride": 8}}
    folder = str(tmp_path)
    model = build(backbone=folder, local_backbone=folder, config=SIZES | LOCAL | stride)
    config = model.config.backbone_config
    assert (config.model_type, config.tf_padding, config.feature_stride) == ("mobilenet_v2", False, 16)
    assert config.num_labels == 2, "labels and other fields of the classifier stay behind"
    for branch, layers in ((model.global_branch, 12), (model.local_branch, 5)):
        stem = branch.backbone.conv_stem.first_conv.convolution.weight
        assert torch.equal(stem, source.mobilenet_v2.conv_stem.first_conv.convolution.weight)
        assert len(branch.backbone.layer) == layers


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"config": {"embeding_dim": 4}}, "embeding_dim.*embedding_dim"),
        ({"config": {"attribute_names": ["a", "b"]}}, "attribute_names"),
        ({"architecture": "ipad", "config": {"head": "csn"}}, "'head'"),
        ({"config": SIZES, "local_backbone": "somewhere"}, "local_backbone.*leaves out"),
        (IPAD | {"config": SIZES | {"use_semantic_branch": False}, "local_backbone": "x"}, "leaves out"),
    ],
)
def test_mistakes_are_named(recipe, message):
    with pytest.raises(ValueError, match=message):
        build(**recipe)


def test_a_checkpoint_of_another_architecture_is_refused(asen):
    with pytest.raises(ValueError, match=r"is of architecture 'asen', but `model.architecture` is 'ipad'"):
        build(architecture="ipad", start_from=asen[1])


def test_processors_have_the_sizes_of_model_and_source():
    config = make_config(AttributeModelRecipe(config=SIZES | {"backbone_config": BACKBONE}), VOCABULARY)
    processor, source = make_processors(AttributeRecipe(), config)
    assert (processor.size["shortest_edge"], processor.crop_size["height"], source) == (32, 32, None)
    assert not processor.do_source
    recipe = AttributeRecipe(data=AttributeDataRecipe(source_size=48))
    processor, source = make_processors(recipe, config)
    assert processor.do_source and processor.size["shortest_edge"] == 32
    assert (source.size["shortest_edge"], source.crop_size["width"]) == (48, 48)


def test_a_continued_model_keeps_the_other_settings_of_its_processor(tmp_path):
    AttributeImageProcessorPil(image_mean=[0.5] * 3).save_pretrained(tmp_path)
    config = make_config(AttributeModelRecipe(config=SIZES), VOCABULARY)
    recipe = AttributeRecipe(
        model=AttributeModelRecipe(start_from=str(tmp_path)), data=AttributeDataRecipe(source_size=48)
    )
    processor, source = make_processors(recipe, config)
    assert list(processor.image_mean) == list(source.image_mean) == [0.5] * 3
    assert (processor.size["shortest_edge"], source.size["shortest_edge"]) == (32, 48)


def test_a_start_that_crops_from_the_photo_is_not_trained_on_other_crops(tmp_path):
    AttributeImageProcessorPil(do_source=True).save_pretrained(tmp_path)
    config, model = make_config(AttributeModelRecipe(config=SIZES), VOCABULARY), {"start_from": str(tmp_path)}
    with pytest.raises(ValueError, match=r"of up to 512 pixels, .* its input of 32\. Set `data\.source_size`"):
        make_processors(AttributeRecipe(model=AttributeModelRecipe(**model)), config)
    data = AttributeDataRecipe(source_size=48)
    processor, source = make_processors(AttributeRecipe(model=AttributeModelRecipe(**model), data=data), config)
    assert processor.do_source and source.size["shortest_edge"] == 48


def test_photos_are_scaled_as_the_pretrained_backbone_saw_them(tmp_path):
    (tmp_path / "none").mkdir()
    square_processor(8, image_mean=[0.5, 0.5, 0.4], image_std=[0.5, 0.5, 0.3]).save_pretrained(tmp_path / "own")
    config = make_config(AttributeModelRecipe(config=SIZES), VOCABULARY)
    for name, (mean, std) in {"none": (0.406, 0.225), "own": (0.4, 0.3)}.items():
        model = AttributeModelRecipe(backbone=str(tmp_path / name))
        recipe = AttributeRecipe(model=model, data=AttributeDataRecipe(source_size=48))
        for processor in make_processors(recipe, config):
            assert (processor.image_mean[2], processor.image_std[2]) == (mean, std)
            assert processor.resample == square_processor(8).resample


def stage(losses: dict[str, float]) -> AttributeStageRecipe:
    return AttributeStageRecipe(epochs=1, learning_rate=1e-4, losses=losses)


def test_cluster_centres_are_made_only_for_losses_that_read_them():
    model = tiny_asen()
    vocabulary = AttributeVocabulary(list(model.config.attribute_names), dict(model.config.attribute_values))
    training = AttributeTrainingRecipe(stages=[stage({"global_centre": 1.0})])
    recipe = AttributeRecipe(diverging=DivergingRecipe(momentum=0.5, capacity=4, min_filled=2), training=training)
    diverging = make_diverging(recipe, model, vocabulary)
    assert list(diverging.queues) == ["global_embeds"] and diverging.encoder.momentum == 0.5
    assert diverging.queues["global_embeds"].capacity == 4
    centres, present = diverging.centres["global_embeds"]
    assert centres.shape == (*present.shape, model.config.embedding_dim) and len(present) == len(vocabulary.num_values)
    assert make_diverging(AttributeRecipe(), model, vocabulary) is None


def test_batches_are_drawn_as_the_recipe_says():
    labels = AttributeLabels(
        VOCABULARY, torch.tensor([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]] * 2).bool()
    )
    groups = SamplingRecipe(batches_an_epoch=3, values_per_group=2, images_per_value=2, attributes_per_batch=1)
    sampler = make_batch_sampler(AttributeRecipe(sampling=groups), labels)
    assert isinstance(sampler, PKBatchSampler) and len(sampler) == 3
    assert all(len(batch) == 4 for batch in sampler)
    triplets = SamplingRecipe(kind="triplets", triplets_an_epoch=6)
    recipe = AttributeRecipe(sampling=triplets, training=AttributeTrainingRecipe(batch_size=2))
    sampler = make_batch_sampler(recipe, labels)
    assert isinstance(sampler, TripletBatchSampler) and len(sampler) == 3
