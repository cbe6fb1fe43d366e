"""Metrics of captions: words as the COCO evaluation cuts them, and known values of its metrics."""

import math

import pytest

from hf_fashion.metrics.captions import caption_metrics, caption_words


pytest.importorskip("pycocoevalcap", reason='pip install "hf-fashion[captions]"')
pytest.importorskip("nltk", reason='pip install "hf-fashion[captions]"')


# Cut by PTBTokenizer of pycocoevalcap, which is Stanford's in Java.
CUT = {
    "Puma Men  T-shirt": "puma men t-shirt",
    "A woman's \"red\" dress, 100% cotton; don't iron!": "a woman 's red dress 100 % cotton do n't iron",
    "Reid & Taylor - Combo Pack (A378)": "reid & taylor combo pack -lrb- a378 -rrb-",
    "cannot gonna": "can not gon na",
    "A red dress. With long sleeves! Made in Italy.": "a red dress with long sleeves made in italy",
    "U.S. Polo Assn. Men Blue Polo": "u.s. polo assn. men blue polo",
    "By Ralph Lauren Co. Ltd. in blue. No. 4, 1.5 m. long": "by ralph lauren co. ltd. in blue no. 4 1.5 m. long",
    "J. Crew, e.g. for work ... ok": "j. crew e.g. for work ok",
}


@pytest.mark.parametrize("text", CUT)
def test_captions_are_cut_as_the_coco_evaluation_does(text):
    assert " ".join(caption_words(text)) == CUT[text]


def test_true_captions_are_perfect():
    captions = ["Puma Men Red T-shirt", "Nike Women Blue Running Shoes"]
    found = caption_metrics(captions, [[caption.upper()] for caption in captions])
    assert found["bleu@4"] == pytest.approx(1, abs=1e-6) and found["rouge_l"] == 1
    assert found["cider"] == pytest.approx(10) and found["meteor_without_synonyms"] > 0.99


def test_bleu_counts_n_grams_of_the_whole_corpus_as_a_plain_loop_does():
    said = ["a red dress with long sleeves", "blue shoes for men to run"]
    right = ["a red dress with short sleeves", "blue shoes for women to run"]
    shares = []
    for n in range(1, 5):
        hits = total = 0
        for one, other in zip(said, right, strict=True):
            grams = [[tuple(text.split()[i : i + n]) for i in range(7 - n)] for text in (one, other)]
            hits += sum(min(grams[0].count(gram), grams[1].count(gram)) for gram in set(grams[0]))
            total += len(grams[0])
        shares.append(hits / total)
    bleu = math.exp(sum(map(math.log, shares)) / 4)
    assert caption_metrics(said, [[text] for text in right])["bleu@4"] == pytest.approx(bleu, abs=1e-6)


def test_rouge_l_is_the_longest_common_subsequence_with_its_beta():
    precision, recall, beta = 2 / 3, 2 / 4, 1.2
    expected = (1 + beta**2) * precision * recall / (recall + beta**2 * precision)
    found = caption_metrics(["a red dress", "x"], [["a long red shirt"], ["x"]])["rouge_l"]
    assert found == pytest.approx((expected + 1) / 2)


def test_meteor_knows_stems_and_no_synonyms():
    stems, others = (caption_metrics([said], [["striped dresses"]]) for said in ("stripes dress", "lined gowns"))
    assert stems["meteor_without_synonyms"] > 0.9 and others["meteor_without_synonyms"] == 0


@pytest.mark.parametrize("references", [[], [["a"], ["b"]], [[]]])
def test_captions_without_references_are_refused(references):
    with pytest.raises(ValueError, match="each caption needs a reference"):
        caption_metrics(["a"], references)
