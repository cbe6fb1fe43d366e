"""Sizes and budgets of the runs: on one GPU at 224 px, on two cores, and at toy size."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Settings:
    """Sizes and budgets; the packed folder holds them, so that both machines agree.

    Args:
        image_size (`int`): edge of the square photos.
        jpeg_quality (`int`): of the packed photos.
        photos_a_file (`int`): photos in a packed file.
        distortion (`float`): of the random views in training, see `random_views`.
        projection_dim (`int`): of E2 and CLIP-FT.
        text_width (`int`): of the text tower, which starts from random weights.
        text_layers (`int`): its layers; a head has 64 dimensions.
        vocab_size (`int`): largest vocabulary of the corpus' tokenizer.
        max_tokens (`int`): longest text.
        e2_epochs (`int`): of E2 and CLIP-FT.
        e2_batch (`int`): photos in their batches.
        tower_rate (`float`): learning rate of pretrained weights.
        new_rate (`float`): learning rate of all other weights.
        feature_stride (`int`): of the map of a CNN without a Backbone class.
        attribute_width (`int`): of the attention of the attribute models.
        region_size (`int`): edge of the regions that a second branch sees.
        frozen_region_layers (`int`): first layers of the DINOv2 that sees regions, which are never trained.
        stage_steps (`tuple[int, int]`): steps of their first and second stage.
        values_per_group (`int`): P of their P x K batches.
        images_per_value (`int`): K.
        attributes_per_batch (`int`): groups in a batch.
        queue (`tuple[int, int, int]`): of the cluster centres: capacity, features that a centre needs, pushes between
            two refreshes.
        num_candidates (`int`): that FR and the other re-rankers see.
        fr_width (`int`): hidden size of FR.
        fr_lists (`int`): lists of each attribute that FR learns from.
        fr_min_positives (`int`): right candidates that such a list has at the least.
        fr_epochs (`int`): of FR.
    """

    image_size: int = 224
    jpeg_quality: int = 85
    photos_a_file: int = 1000
    distortion: float = 0.1
    projection_dim: int = 256
    text_width: int = 384
    text_layers: int = 6
    vocab_size: int = 4096
    max_tokens: int = 48
    e2_epochs: int = 8
    e2_batch: int = 256
    tower_rate: float = 1e-4
    new_rate: float = 5e-4
    feature_stride: int = 32
    attribute_width: int = 512
    region_size: int = 112
    frozen_region_layers: int = 0
    stage_steps: tuple[int, int] = (500, 250)
    values_per_group: int = 6
    images_per_value: int = 4
    attributes_per_batch: int = 2
    queue: tuple[int, int, int] = (200, 20, 10)
    num_candidates: int = 99
    fr_width: int = 256
    fr_lists: int = 400
    fr_min_positives: int = 6
    fr_epochs: int = 2


# The attribute models on two cores, in an hour.
SMALL = replace(
    Settings(), image_size=112, feature_stride=16, region_size=56, frozen_region_layers=8, stage_steps=(150, 150)
)

TOY = replace(
    Settings(),
    image_size=32,
    photos_a_file=50,
    projection_dim=16,
    text_width=64,
    text_layers=1,
    vocab_size=600,
    e2_epochs=1,
    e2_batch=30,
    feature_stride=8,
    attribute_width=16,
    region_size=16,
    frozen_region_layers=1,
    stage_steps=(2, 2),
    values_per_group=2,
    images_per_value=2,
    queue=(4, 1, 1),
    num_candidates=5,
    fr_width=8,
    fr_lists=4,
    fr_min_positives=1,
    fr_epochs=1,
)
