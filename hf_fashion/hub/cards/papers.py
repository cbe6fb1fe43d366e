"""Cite the papers that the models implement."""

from typing import NamedTuple


class Paper(NamedTuple):
    """Name a paper.

    Args:
        key (`str`): of its BibTeX entry.
        kind (`str`): kind of its BibTeX entry.
        fields (`dict[str, str]`): of its BibTeX entry.
    """

    key: str
    kind: str
    fields: dict[str, str]

    def bibtex(self) -> str:
        """Return the BibTeX entry."""
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


E2 = Paper(
    "qi2024easy",
    "inproceedings",
    {
        "title": "Easy Regional Contrastive Learning of Expressive Fashion Representations",
        "author": "Qi, Daiqing and Zhao, Handong and Li, Sheng",
        "booktitle": "Advances in Neural Information Processing Systems",
        "year": "2024",
        "url": "https://openreview.net/forum?id=bCL9U2X9Jg",
    },
)
CLIP = Paper(
    "radford2021learning",
    "inproceedings",
    {
        "title": "Learning Transferable Visual Models From Natural Language Supervision",
        "author": "Radford, Alec and Kim, Jong Wook and Hallacy, Chris and Ramesh, Aditya and Goh, Gabriel and others",
        "booktitle": "International Conference on Machine Learning",
        "year": "2021",
    },
)
SIGLIP = Paper(
    "zhai2023sigmoid",
    "inproceedings",
    {
        "title": "Sigmoid Loss for Language Image Pre-Training",
        "author": "Zhai, Xiaohua and Mustafa, Basil and Kolesnikov, Alexander and Beyer, Lucas",
        "booktitle": "IEEE/CVF International Conference on Computer Vision",
        "year": "2023",
    },
)
FILIP = Paper(
    "yao2022filip",
    "inproceedings",
    {
        "title": "FILIP: Fine-grained Interactive Language-Image Pre-Training",
        "author": "Yao, Lewei and Huang, Runhui and Hou, Lu and Lu, Guansong and Niu, Minzhe and Xu, Hang and others",
        "booktitle": "International Conference on Learning Representations",
        "year": "2022",
        "url": "https://openreview.net/forum?id=cpDhcsEDC2",
    },
)
ASEN = Paper(
    "dong2021fine",
    "article",
    {
        "title": "Fine-Grained Fashion Similarity Prediction by Attribute-Specific Embedding Learning",
        "author": "Dong, Jianfeng and Ma, Zhe and Mao, Xiaofeng and Yang, Xun and He, Yuan and Hong, Richang and "
        "Ji, Shouling",
        "journal": "IEEE Transactions on Image Processing",
        "year": "2021",
    },
)
IPAD = Paper(
    "wan2025from",
    "article",
    {
        "title": "From spatial to semantic: attribute-aware fashion similarity learning via iterative positioning and "
        "attribute diverging",
        "author": "Wan, Yongquan and Zheng, Jianfei and Yan, Cairong and Zou, Guobing",
        "publisher": "Springer",
        "year": "2025",
    },
)
COMBINER = Paper(
    "baldrati2022effective",
    "inproceedings",
    {
        "title": "Effective Conditioned and Composed Image Retrieval Combining CLIP-Based Features",
        "author": "Baldrati, Alberto and Bertini, Marco and Uricchio, Tiberio and Del Bimbo, Alberto",
        "booktitle": "IEEE/CVF Conference on Computer Vision and Pattern Recognition",
        "year": "2022",
    },
)
CAPDEC = Paper(
    "nukrai2022text",
    "inproceedings",
    {
        "title": "Text-Only Training for Image Captioning using Noise-Injected CLIP",
        "author": "Nukrai, David and Mokady, Ron and Globerson, Amir",
        "booktitle": "Findings of the Association for Computational Linguistics: EMNLP",
        "year": "2022",
    },
)
DECAP = Paper(
    "li2023decap",
    "inproceedings",
    {
        "title": "DeCap: Decoding CLIP Latents for Zero-Shot Captioning via Text-Only Training",
        "author": "Li, Wei and Zhu, Linchao and Wen, Longyin and Yang, Yi",
        "booktitle": "International Conference on Learning Representations",
        "year": "2023",
    },
)
CSN = Paper(
    "veit2017conditional",
    "inproceedings",
    {
        "title": "Conditional Similarity Networks",
        "author": "Veit, Andreas and Belongie, Serge and Karaletsos, Theofanis",
        "booktitle": "IEEE Conference on Computer Vision and Pattern Recognition",
        "year": "2017",
    },
)
