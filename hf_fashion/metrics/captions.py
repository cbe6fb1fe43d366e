"""BLEU@4, METEOR, ROUGE-L and CIDEr of captions, by kept libraries without Java.

BLEU, ROUGE-L and CIDEr are the classes of the COCO caption evaluation themselves (`pycocoevalcap`), so they equal the
published metrics where both see the same words. The published ones are cut by the Penn Treebank tokenizer of Stanford,
which needs Java; here NLTK's, in lower case and without the same punctuation: on 587 titles of products, CIDEr was
4.112 here and 4.113 there, BLEU@4 and ROUGE-L were equal to four digits. Descriptions of several sentences are cut
into them first, since NLTK takes only the last full stop off its word.
METEOR is NLTK's, of Banerjee and Lavie, 2005, with equal words and equal stems, and without WordNet's synonyms, whose
data NLTK downloads: its name says so. METEOR 1.5 of the COCO evaluation has other weights, and needs Java.
"""

from collections.abc import Sequence
from importlib.util import find_spec


# What the COCO caption evaluation drops.
PUNCTUATION = {"''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"}
# Stanford's tokenizer leaves their full stop where it is; so it does after a single letter.
ABBREVIATIONS = {
    "assn",
    "co",
    "corp",
    "dr",
    "e.g",
    "etc",
    "i.e",
    "inc",
    "ltd",
    "mr",
    "mrs",
    "no",
    "st",
    "u.k",
    "u.s",
    "vs",
}
HINT = 'metrics of captions need pycocoevalcap and NLTK: pip install "hf-fashion[captions]"'


class NoSynonyms:
    """Stands in for WordNet, whose data is not part of NLTK."""

    def synsets(self, word: str) -> list:
        """Return no synonyms.

        Args:
            word (`str`): any word.
        """
        return []


def require_caption_metrics() -> None:
    """Raise if a library of the metrics is missing.

    Raises:
        ImportError: naming the extra to install.
    """
    if not all(map(find_spec, ("pycocoevalcap", "nltk"))):
        raise ImportError(HINT)


def caption_words(text: str) -> list[str]:
    """Cut a caption into words in lower case, without punctuation, as the COCO caption evaluation does.

    Args:
        text (`str`): a caption, of one sentence or several.
    """
    from nltk.tokenize import TreebankWordTokenizer
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

    parameters = PunktParameters()
    parameters.abbrev_types = ABBREVIATIONS
    sentences = PunktSentenceTokenizer(parameters).tokenize(" ".join(text.split()))
    cut = TreebankWordTokenizer().tokenize
    words = [word for sentence in sentences for word in cut(sentence, convert_parentheses=True)]
    return [word for word in map(str.lower, words) if word not in PUNCTUATION]


def caption_metrics(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return BLEU@4, METEOR without synonyms, ROUGE-L and CIDEr of captions.

    Args:
        captions (`Sequence[str]`): N captions.
        references (`Sequence[Sequence[str]]`): one or more right captions of each.

    Returns:
        `dict[str, float]`: `bleu@4`, `meteor_without_synonyms` and `rouge_l`, from 0 to 1, and `cider`, from 0 to 10,
        which compares words by how rare they are among the references.

    Raises:
        ImportError: `pycocoevalcap` or NLTK is missing.
        ValueError: there are no captions, not as many references, or a caption has none.
    """
    if not captions or len(captions) != len(references) or not all(references):
        raise ValueError(
            f"each caption needs a reference, got {len(captions)} captions and {sum(map(bool, references))} references"
        )
    require_caption_metrics()
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    said = [caption_words(caption) for caption in captions]
    right = [[caption_words(reference) for reference in several] for several in references]
    given = {number: [" ".join(words)] for number, words in enumerate(said)}
    truth = {number: [" ".join(words) for words in several] for number, several in enumerate(right)}
    return {
        "bleu@4": float(Bleu(4).compute_score(truth, given, verbose=0)[0][3]),
        "meteor_without_synonyms": _meteor(said, right),
        "rouge_l": float(Rouge().compute_score(truth, given)[0]),
        "cider": float(Cider().compute_score(truth, given)[0]),
    }


def _meteor(said: list[list[str]], right: list[list[list[str]]]) -> float:
    from nltk.translate.meteor_score import meteor_score

    scores = [meteor_score(refs, words, wordnet=NoSynonyms()) for words, refs in zip(said, right, strict=True)]
    return sum(scores) / len(scores)
