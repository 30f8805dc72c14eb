"""Compares an extractive summarizer with TextRank and LexRank of the package sumy.

Usage: extractive_summaries.py RUN FILE SOURCE TARGET [--documents 1000] [--seed 1]
                               [--words 1000,3000,10000,30000,100000]

RUN is a run directory of `fastformer train`, FILE is JSON Lines with the fields SOURCE (the document)
and TARGET (the reference).

- Summaries: all systems choose from the same sentences, those of `fastformer summarize --explain`,
  without headings. TextRank and LexRank choose as many sentences as ours on average. Scores are those
  of `fastformer rouge`, with the 95 % interval of the difference to ours from a paired bootstrap over
  documents.
- Speed: documents per second on one core, with the median, minimum and maximum of five rounds of ours.
  "splitting" finds the sentences and nothing else, which is what the first three sentences cost.
- Long documents: seconds of one document on one core, the exponent of the words that fits them best,
  and the peak of memory.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Sequence

import numpy as np
from child import cpu_model
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.summarizers.text_rank import TextRankSummarizer

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_BIN = _ROOT / "build" / "release" / "bin"
_METRICS = ("rouge1", "rouge2", "rougeLsum")


class _Words:
    """What sumy asks of a tokenizer."""

    @staticmethod
    def to_words(text: str) -> tuple[str, ...]:
        return tuple(word for word in text.lower().split() if word.isalnum())


def peer_summary(summarizer: object, sentences: Sequence[str], count: int) -> list[str]:
    """The sentences that a summarizer of sumy chooses, in the order of the document."""
    document = ObjectDocumentModel([Paragraph([Sentence(text, _Words) for text in sentences])])
    return [str(sentence) for sentence in summarizer(document, count)]


def our_summaries(run: pathlib.Path, documents: pathlib.Path, field: str) -> list[dict[str, object]]:
    """The answers of `summarize --json --explain`."""
    words = [_BIN / "fastformer", "summarize", run / "model", documents, "--field", field, "--json",
             "--explain"]
    answer = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in answer.splitlines()]


def rouge(folder: pathlib.Path, summaries: Sequence[Sequence[str]],
          references: Sequence[str]) -> np.ndarray:
    """[documents, metrics]: F of each summary, by `fastformer rouge`."""
    file, scores = folder / "summaries.jsonl", folder / "scores.jsonl"
    pairs = ({"candidate": "\n".join(lines), "reference": reference}
             for lines, reference in zip(summaries, references))
    file.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
    subprocess.run([_BIN / "fastformer", "rouge", file, "--stem", "--pairs", scores], check=True,
                   capture_output=True)
    rows = [json.loads(line) for line in scores.read_text(encoding="utf-8").splitlines()]
    return np.array([[row[metric][2] for metric in _METRICS] for row in rows])


def interval(difference: np.ndarray, seed: int) -> tuple[float, float]:
    """The 95 % interval of a mean, by 2,000 bootstrap samples."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, len(difference), (2000, len(difference)))
    low, high = np.percentile(difference[rows].mean(1), [2.5, 97.5])
    return low, high

def lines_of(value: object) -> str:
    """A text, or the lines of a list of texts."""
    return value if isinstance(value, str) else "\n".join(value)


def quality(run: pathlib.Path, path: pathlib.Path, source: str, target: str, limit: int,
            seed: int) -> None:
    """Prints the table of summaries, and the speed of the peers."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:limit]]
    references = [lines_of(row[target]) for row in rows]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        documents = folder / "documents.jsonl"
        documents.write_text("".join(json.dumps({source: row[source]}) + "\n" for row in rows),
                             encoding="utf-8")
        answers = our_summaries(run, documents, source)
        texts = [[one["text"] for one in answer["document"] if one["kind"] in ("sentence", "list item")]
                 for answer in answers]
        ours = [[one["text"] for one in answer["sentences"]] for answer in answers]
        count = max(round(sum(map(len, ours)) / len(ours)), 1)
        systems = {"fastformer": ours, "lead-3": [sentences[:3] for sentences in texts]}
        speeds = {}
        for peer, summarizer in (("TextRank", TextRankSummarizer()), ("LexRank", LexRankSummarizer())):
            started = time.process_time()
            systems[peer] = [peer_summary(summarizer, sentences, count) for sentences in texts]
            speeds[peer] = len(texts) / (time.process_time() - started)
        scores = {system: rouge(folder, summaries, references) for system, summaries in systems.items()}
    print(f"{len(rows)} documents, {count} sentences per summary of TextRank and LexRank\n")
    print("| | ROUGE-1 | ROUGE-2 | ROUGE-Lsum | words | ours minus it: ROUGE-1 | ROUGE-2 | ROUGE-Lsum |")
    print("|---|---|---|---|---|---|---|---|")
    for system, values in scores.items():
        words = sum(len(" ".join(lines).split()) for lines in systems[system]) / len(rows)
        cells = [f"{100 * value:.2f}" for value in values.mean(0)] + [f"{words:.1f}"]
        if system != "fastformer":
            for difference in (scores["fastformer"] - values).T:
                low, high = interval(100 * difference, seed)
                cells.append(f"{100 * difference.mean():.2f} ({low:.2f} to {high:.2f})")
        print(f"| {system} | {' | '.join(cells)} |" + " | | |" * (system == "fastformer"))
    print(f"\nDocuments per second on one core of an {cpu_model()}:\n")
    print("| | documents per second |\n|---|---|")
    speed = json.loads(measure(run, path, source)[0])
    for name, key in (("splitting", "split"), ("fastformer", "extract")):
        median, low, high = speed[key]
        print(f"| {name} | {median:,.0f} ({low:,.0f}-{high:,.0f}) |")
    for peer, value in speeds.items():
        print(f"| {peer} | {value:,.0f} |")


def measure(run: pathlib.Path, path: pathlib.Path, source: str, *words: str) -> list[str]:
    """The lines that the C++ part prints."""
    command = [_BIN / "fastformer_extractive_speed", run / "model", path, source, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def lengths(run: pathlib.Path, path: pathlib.Path, source: str, words: Sequence[str]) -> None:
    """Prints the time and memory of long documents, each in its own process."""
    rows = [json.loads(measure(run, path, source, count)[0]) for count in words]
    print("\n| words | seconds | peak MB |\n|---|---|---|")
    for row in rows:
        print(f"| {row['words']:,} | {row['seconds']:.4f} ({row['least']:.4f}-{row['most']:.4f}) "
              f"| {row['peak_MB']:.0f} |")
    logs = [(math.log(row["words"]), math.log(row["seconds"])) for row in rows]
    slope = np.polyfit(*zip(*logs), 1)[0]
    print(f"\nseconds grow as words^{slope:.2f}")


def main() -> None:
    """Reads the options and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--words", default="1000,3000,10000,30000,100000")
    arguments = parser.parse_args()
    quality(arguments.run, arguments.file, arguments.source, arguments.target, arguments.documents,
            arguments.seed)
    lengths(arguments.run, arguments.file, arguments.source, arguments.words.split(","))


if __name__ == "__main__":
    main()
