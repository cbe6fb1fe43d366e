"""A model of two encoders of transformers: its calls are named like CLIP's, and it pools texts in another way."""

from transformers import BertConfig, VisionTextDualEncoderConfig, VisionTextDualEncoderModel, ViTConfig


def tiny_dual_encoder() -> VisionTextDualEncoderModel:
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = BertConfig(**sizes, vocab_size=514, max_position_embeddings=40)
    vision = ViTConfig(**sizes, image_size=16, patch_size=4)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=12)
    return VisionTextDualEncoderModel(config).eval()
