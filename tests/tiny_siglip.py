"""A SigLIP of transformers: its calls are named like CLIP's, and it wants other inputs."""

from transformers import SiglipConfig, SiglipModel


def tiny_siglip(layers: int = 1) -> SiglipModel:
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": layers, "num_attention_heads": 2}
    text = sizes | {"vocab_size": 514, "max_position_embeddings": 40}
    vision = sizes | {"image_size": 16, "patch_size": 4}
    return SiglipModel(SiglipConfig(text_config=text, vision_config=vision)).eval()
