"""The photos of a run become outputs of frozen layers, in every split."""

import numpy as np
from accelerate import Accelerator

from hf_fashion.data.photo_cache import PhotoCache
from hf_fashion.training.frozen_layers.photos import freeze_layers, frozen_outputs
from tests.small_corpus import corpus  # noqa: F401
from tests.tiny_e2 import tiny_image_processor
from tests.tiny_e2_families import tiny_clip


def test_every_split_has_outputs_of_the_same_layers(corpus, tmp_path, capsys):  # noqa: F811
    model, processor = tiny_clip(), tiny_image_processor()
    photos = {name: PhotoCache.build(split, "image", processor, tmp_path) for name, split in corpus.items()}
    accelerator = Accelerator(cpu=True)
    frozen = freeze_layers(accelerator, model, 2, photos)
    states = frozen_outputs(accelerator, frozen, photos, processor)
    assert {name: len(cache) for name, cache in states.items()} == {name: len(split) for name, split in corpus.items()}
    assert states["validation"].photo(0).shape == (17, 16) and states["validation"].photo(0).dtype == np.float16
    assert not model.vision_model.embeddings.patch_embedding.weight.requires_grad and len(frozen.layers) == 2
    assert capsys.readouterr().out.count("The first 2 layers are run once") == len(corpus)
