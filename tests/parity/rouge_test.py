"""The program's ROUGE against rouge-score: random texts, and summaries of news where they are."""

from __future__ import annotations

import json
import pathlib
import random
import subprocess
import sys

import pytest
from rouge_score.rouge_scorer import RougeScorer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench/peers"))

import rouge  # noqa: E402

_NEWS = ROOT / "local/cnn_dailymail"
_PIECES = (
    "the The cats cat running runs nations national sky skies dying a of 3d 1990s u.s. don't "
    "naïve \u0130x \u212ag привет — ... yyyy generalizations"
).split()

pytestmark = pytest.mark.skipif(
    not rouge.PROGRAM.exists(), reason=f"{rouge.PROGRAM} is not built; run scripts/test"
)


def _random_pairs(count: int) -> list[rouge.Pair]:
    source = random.Random(11)

    def text() -> str:
        pieces = source.sample(_PIECES, source.randint(1, len(_PIECES)))
        ends = (" ", " ", " ", "\n", ", ", "\r\n", "\t")
        words = source.randint(0, 150)
        return "".join(source.choice(pieces) + source.choice(ends) for _ in range(words))

    return [(text(), text()) for _ in range(count)]


@pytest.mark.parametrize("stem", [False, True], ids=["plain", "stemmed"])
def test_random_texts(stem: bool) -> None:
    """Few words and many repetitions: ties between subsequences, sentences of all lengths."""
    pairs = _random_pairs(300)
    ours, theirs = rouge.program_scores(pairs, stem), rouge.peer_scores(pairs, stem)
    assert rouge.largest_difference(ours, theirs) < 1e-9


def test_of_several_references_the_best_counts(tmp_path: pathlib.Path) -> None:
    """For each kind of ROUGE by itself, as score_multi has it."""
    pairs = _random_pairs(120)
    judged = [
        (candidate, [reference, pairs[i - 1][1], pairs[i - 2][1]])
        for i, (candidate, reference) in enumerate(pairs)
    ]
    lines = [
        json.dumps({"candidate": candidate, "reference": references}) + "\n"
        for candidate, references in judged
    ]
    file, each = tmp_path / "pairs.jsonl", tmp_path / "scores.jsonl"
    file.write_text("".join(lines), encoding="utf-8")
    command = [str(rouge.PROGRAM), "rouge", str(file), "--several-references", "--pairs", str(each)]
    subprocess.run(command, check=True, capture_output=True)
    rows = [json.loads(line) for line in each.read_text(encoding="utf-8").splitlines()]
    ours = [[number for name in rouge.TYPES for number in row[name]] for row in rows]
    scorer = RougeScorer(rouge.TYPES)
    theirs = []
    for candidate, references in judged:
        found = scorer.score_multi(references, candidate)
        theirs.append([number for name in rouge.TYPES for number in found[name]])
    assert rouge.largest_difference(ours, theirs) < 1e-9


@pytest.mark.skipif(not _NEWS.is_dir(), reason=f"{_NEWS} is not on this machine")
@pytest.mark.parametrize("stem", [False, True], ids=["plain", "stemmed"])
@pytest.mark.parametrize("part", ["val", "test"])
def test_news(part: str, stem: bool) -> None:
    """Every pair of the part."""
    pairs = rouge.read_pairs([_NEWS / f"{part}.jsonl"], None)
    ours, theirs = rouge.program_scores(pairs, stem), rouge.peer_scores(pairs, stem)
    assert rouge.largest_difference(ours, theirs) < 1e-9
