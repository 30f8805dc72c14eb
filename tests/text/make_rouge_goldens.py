"""Writes goldens/rouge.json: what rouge-score and NLTK make of the texts and words below.

    python tests/text/make_rouge_goldens.py
"""

from __future__ import annotations

import json
import pathlib
import random

import nltk
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer

FILE = pathlib.Path(__file__).parent / "goldens" / "rouge.json"
TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")

# Every suffix that a rule of Porter or of NLTK knows, behind beginnings of every kind of measure.
SUFFIXES = """s es ies sses ss ed ing ied eed y ational tional enci anci izer bli abli alli entli eli
ousli ization ation ator alism iveness fulness ousness aliti iviti biliti fulli logi icate ative
alize iciti ical ful ness al ance ence er ic able ible ant ement ment ent sion tion ion ou ism ate
iti ous ive ize e ll le ated bling izing lled tted ssing yed yy""".split()
BEGINNINGS = """t f fl oa rel sp by bay cond hop fall fizz at bl troubl gyroscop feud xyz tray wow
sky 3d 1990 philo controll""".split()
WORDS = """sky skies dying lying tying news innings inning outings outing cannings canning howe
proceed exceed succeed spied died tied dies flies enjoy enjoying enjoyment spy happy say yyyy yyyyyy
syzygy generalizations oscillators geology theology archaeology ieds eeds reed bleed agreed feed
1980s 3rd abc123 alliallialli radically dully usefully roll controlling ing eding ioning""".split()

PAIRS = [
    ("", ""),
    ("", "a reference"),
    ("a candidate", ""),
    ("... !!! ???", "a reference"),
    ("... !!!", "---"),
    ("\n\n\n", "\n"),
    ("the cat sat on the mat", "the cat sat on the mat"),
    ("the the the the", "the cat"),
    ("the cat", "the the the the"),
    ("one", "one"),
    ("one", "two"),
    ("police killed the gunman", "the gunman kill police"),
    ("The QUICK brown-fox, jumped!", "the quick (brown) fox jumps"),
    ("a b c d e f g", "g f e d c b a"),
    ("a b a b a b a b", "b a b a b a"),
    ("don't can't won't", "do not cannot will not"),
    ("running runs runner ran", "run running runners"),
    ("The news skies were dying.", "Sky news died; lying ties."),
    ("naïve café São Paulo", "naive cafe sao paulo"),
    ("привет мир", "привет мир"),
    ("\u0130stanbul \u212aelvin", "i stanbul kelvin"),
    ("x\u0130y a\u212ab", "xi y akb"),
    ("日本 2020 語 5kg", "2020 5kg"),
    ("emoji \U0001f600 text", "emoji text"),
    ("1,000.5 u.s. 3d", "1 000 5 us 3d"),
    ("a\tb\r\nc\u2028d\u0085e", "a b c d e"),
    ("first line\nsecond line", "second line\nfirst line"),
    ("first line second line", "second line\nfirst line"),
    ("\n\nthe cat\n...\nsat here\n", "the cat sat\n\nhere"),
    ("w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5", "w1 w2 w3 w4 w5"),
    ("the the\nthe a", "the\nthe\na the\na a"),
    ("a b c\na c b\nb a c", "c b a\na b c a b c"),
    ("literal \\n escape", "literal n escape"),
    ("x" * 300, "x" * 300 + " y"),
]


def random_pairs(count: int) -> list[tuple[str, str]]:
    """Texts over few words, so that subsequences are long and ties many; lengths around 64."""
    source = random.Random(7)
    vocabulary = ["the", "cats", "running", "of", "generally", "nations", "sky", "a"]

    def text(words: int) -> str:
        kinds = source.choice((2, 4, len(vocabulary)))
        parts = [source.choice(vocabulary[:kinds]) for _ in range(words)]
        return "".join(p + source.choice((" ", " ", " ", " ", ", ", "\n")) for p in parts)

    lengths = (1, 2, 5, 17, 63, 64, 65, 127, 128, 129, 200)
    return [(text(source.choice(lengths)), text(source.choice(lengths))) for _ in range(count)]


def scores(candidate: str, reference: str, stem: bool) -> list[float]:
    """Precision, recall and F of each type, in the order of TYPES."""
    found = RougeScorer(TYPES, use_stemmer=stem).score(reference, candidate)
    return [number for name in TYPES for number in found[name]]


def main() -> None:
    """Writes the file."""
    long = " ".join(f"w{i * i % 37}" for i in range(1000))
    shuffled = " ".join(f"w{i * 7 % 41}" + ("\n" if i % 29 == 0 else "") for i in range(700))
    pairs = PAIRS + random_pairs(40) + [(long, shuffled), (shuffled, long)]
    stemmer = PorterStemmer()
    words = WORDS + [start + end for start in BEGINNINGS for end in SUFFIXES]
    goldens = {
        "made_by": f"rouge-score 0.1.2, nltk {nltk.__version__}",
        "types": TYPES,
        "pairs": [
            {
                "candidate": candidate,
                "reference": reference,
                "plain": scores(candidate, reference, False),
                "stemmed": scores(candidate, reference, True),
            }
            for candidate, reference in pairs
        ],
        "stems": " ".join(f"{word} {stemmer.stem(word)}" for word in words),
    }
    FILE.write_text(json.dumps(goldens, ensure_ascii=True, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
