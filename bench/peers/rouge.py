"""Compares our ROUGE with rouge-score's on the first sentences of articles: scores and speed.

    bench/peers/rouge.py [--pairs 2000] [FILE.jsonl...]    default: local/cnn_dailymail/test.jsonl

Each article's first three sentences are compared with its highlights, without and with stems.
Prints the largest difference of any score of any pair, then the processor seconds of rouge-score, of
fastformer.rouge (both scoring alone, in a running Python) and of `fastformer rouge` (the whole process:
start, reading, scoring, bootstrap), in turns, and the ratios to rouge-score. Each runs on one thread;
processor time, because other programs on the machine do not change it much.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence

from rouge_score.rouge_scorer import RougeScorer

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "build/release/python"))
from fastformer import rouge  # noqa: E402

PROGRAM = ROOT / "build/release/bin/fastformer"
TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
Pair = tuple[str, str]
Scores = list[list[float]]


def read_pairs(paths: Sequence[pathlib.Path], limit: int | None) -> list[Pair]:
    """The first three sentences and the highlights of each article."""
    pairs: list[Pair] = []
    for path in paths:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                lead = row["article"].split(" . ")[:3]
                pairs.append((" .\n".join(lead), "\n".join(row["highlights"])))
    return pairs[:limit]


def write_pairs(pairs: Sequence[Pair], path: pathlib.Path) -> None:
    """As `fastformer rouge` reads them."""
    with path.open("w", encoding="utf-8") as file:
        for candidate, reference in pairs:
            file.write(json.dumps({"candidate": candidate, "reference": reference}) + "\n")


def peer_scores(pairs: Sequence[Pair], stem: bool) -> Scores:
    """Precision, recall and F of each type of each pair, by rouge-score."""
    scorer = RougeScorer(TYPES, use_stemmer=stem)
    scores = []
    for candidate, reference in pairs:
        found = scorer.score(reference, candidate)
        scores.append([number for name in TYPES for number in found[name]])
    return scores


def package_scores(pairs: Sequence[Pair], stem: bool) -> Scores:
    """As peer_scores, by fastformer.rouge."""
    scorer = rouge.RougeScorer(TYPES, use_stemmer=stem)
    scores = scorer.score_pairs([b for _, b in pairs], [a for a, _ in pairs], threads=1)
    return [[number for name in TYPES for number in scores[name][i]] for i in range(len(pairs))]


def run_program(path: pathlib.Path, stem: bool, each: pathlib.Path | None = None) -> dict:
    """The report of `fastformer rouge`."""
    command = [str(PROGRAM), "rouge", str(path), "--json"]
    command += ["--stem"] if stem else []
    command += ["--pairs", str(each)] if each else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"fastformer rouge failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def program_scores(pairs: Sequence[Pair], stem: bool) -> Scores:
    """As peer_scores, by `fastformer rouge`."""
    with tempfile.TemporaryDirectory() as folder:
        path, each = pathlib.Path(folder, "pairs.jsonl"), pathlib.Path(folder, "scores.jsonl")
        write_pairs(pairs, path)
        run_program(path, stem, each)
        rows = [json.loads(line) for line in each.read_text(encoding="utf-8").splitlines()]
    return [[number for name in TYPES for number in row[name]] for row in rows]


def largest_difference(ours: Scores, theirs: Scores) -> float:
    """Over all pairs and scores."""
    if len(ours) != len(theirs):
        raise RuntimeError(f"{len(ours)} pairs were scored, expected {len(theirs)}")
    return max(abs(a - b) for row, other in zip(ours, theirs) for a, b in zip(row, other))


def processor_seconds(action: Callable[[], object]) -> float:
    """Of one call, with the processes that it starts and waits for."""

    def now() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    start = now()
    action()
    return now() - start


def main() -> None:
    """Compares, then times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2000, help="number of pairs; 0: all")
    parser.add_argument("--rounds", type=int, default=3)
    default = [ROOT / "local/cnn_dailymail/test.jsonl"]
    parser.add_argument("files", type=pathlib.Path, nargs="*", default=default)
    arguments = parser.parse_args()
    pairs = read_pairs(arguments.files, arguments.pairs or None)
    print(f"{len(pairs)} pairs")
    for stem in (False, True):
        name = "stemmed" if stem else "plain"
        expected = peer_scores(pairs, stem)
        for found in (program_scores(pairs, stem), package_scores(pairs, stem)):
            difference = largest_difference(found, expected)
            print(f"{name}: largest difference {difference:.1e}")
            if difference > 1e-9:
                sys.exit("the scores differ from those of rouge-score")
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "pairs.jsonl")
            write_pairs(pairs, path)
            contenders: dict[str, Callable[[], object]] = {
                "rouge-score": lambda: peer_scores(pairs, stem),
                "fastformer.rouge": lambda: package_scores(pairs, stem),
                "fastformer rouge": lambda: run_program(path, stem),
            }
            times: dict[str, list[float]] = {contender: [] for contender in contenders}
            for _ in range(arguments.rounds):
                for contender, action in contenders.items():
                    times[contender].append(processor_seconds(action))
        for contender, seconds in times.items():
            ratios = sorted(a / b for a, b in zip(times["rouge-score"], seconds))
            print(f"{name}: {contender} {statistics.median(seconds):.3f} s, ratio "
                  f"{statistics.median(ratios):.0f} ({ratios[0]:.0f} to {ratios[-1]:.0f})")


if __name__ == "__main__":
    main()
