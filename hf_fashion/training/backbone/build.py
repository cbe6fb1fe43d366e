"""The classifier that a pretraining run starts with."""

from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForImageClassification,
    PreTrainedConfig,
    PreTrainedModel,
    ViTForImageClassification,
)
from transformers.modeling_outputs import ImageClassifierOutput

from ...data.attributes.vocabulary import AttributeVocabulary
from .recipe import BackboneModelRecipe


class PatchMeanClassifier(ViTForImageClassification):
    """Classify photos by the mean of a ViT's patch tokens.

    IPAD's semantic branch reads the patches and drops the class token. The parent classifies by that token, which
    teaches the patches of the last layer nothing.
    """

    def forward(self, pixel_values: Tensor) -> ImageClassifierOutput:
        """Return the logits of photos, (B, 3, S, S) -> (B, V)."""
        tokens = self.vit(pixel_values, return_dict=True).last_hidden_state
        return ImageClassifierOutput(logits=self.classifier(tokens[:, 1:].mean(1)))


def make_config(recipe: BackboneModelRecipe, vocabulary: AttributeVocabulary) -> PreTrainedConfig:
    """Return the classifier's configuration, with a label for each value of each attribute.

    Args:
        recipe (`BackboneModelRecipe`): architecture and fields.
        vocabulary (`AttributeVocabulary`): attributes and values.
    """
    labels = [f"{name}: {value}" for name in vocabulary.attribute_names for value in vocabulary.attribute_values[name]]
    return AutoConfig.for_model(**recipe.config, id2label=dict(enumerate(labels)))


def make_model(config: PreTrainedConfig) -> PreTrainedModel:
    """Return an untrained classifier that trains those outputs of its backbone that attribute-specific models read.

    Args:
        config (`PreTrainedConfig`): from [`make_config`].
    """
    if config.model_type == "vit":
        return PatchMeanClassifier(config)
    return AutoModelForImageClassification.from_config(config)
