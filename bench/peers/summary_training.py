"""Times the training of our summarizers on documents of increasing length.

Invented documents with summaries of 60 words, on the model of recipes/cnn_dailymail.toml; a step
trains on the same number of words, in fewer documents the longer they are. `additive` is Fastformer,
`softmax` the Transformer whose cost grows with the square of the length; both copy.

Usage: summary_training.py [--threads 2] [--precision fp32] [--words 512,1024,2048,4096,8192]
       [--steps 12]

Prints a Markdown table: milliseconds per document, of a whole step, as the median of the
steps after the first two with minimum and maximum, and the exponents with which they grow from each
length to the next. The program has to report that it read as many tokens as there are words.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import statistics
import tempfile
from collections.abc import Mapping, Sequence

from attention_block import cpu_model
from decoding import train, write_pairs

_SUMMARY, _WARM_UP = 60, 2


def step_milliseconds(
    mixer: str, words: int, given: argparse.Namespace, folder: pathlib.Path
) -> list[float]:
    """What each step after the warm-up took for each of its documents."""
    batch = max(given.words) // words
    pairs, run = folder / f"{words}.jsonl", folder / f"{mixer}-{words}"
    write_pairs(pairs, batch * given.steps, words, seed=words, summary=_SUMMARY)
    fields = {
        "model.mixer": mixer, "model.max_positions": words, "train.batch_by": "examples",
        "train.batch_size": batch, "train.log_every": 1, "train.precision": given.precision,
    }
    answer = train(pairs, run, given.threads, fields)
    counts = next(line for line in answer.splitlines() if line.startswith("document tokens"))
    if counts.split()[2] != str(batch * given.steps * words):
        raise RuntimeError(f"{mixer}, {words} words: the program read other documents: {counts}")
    entries = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    rates = [entry["tokens_per_second"] for entry in entries if "tokens_per_second" in entry]
    if len(rates) != given.steps:
        raise RuntimeError(f"{mixer}, {words} words: {len(rates)} steps, not {given.steps}")
    return [1000 * (words + _SUMMARY) / rate for rate in rates[_WARM_UP:]]


def table(times: Mapping[str, Mapping[int, Sequence[float]]]) -> str:
    """A row for each length."""
    lines = ["| words | " + " | ".join(f"{mixer}, ms | grows as" for mixer in times) + " |"]
    lines.append("|---" * (1 + 2 * len(times)) + "|")
    lengths = list(next(iter(times.values())))
    for before, words in zip([None, *lengths], lengths):
        cells = []
        for column in times.values():
            middle = statistics.median(column[words])
            cells.append(f"{middle:.1f} ({min(column[words]):.1f}-{max(column[words]):.1f})")
            if before is None:
                cells.append("")
                continue
            growth = middle / statistics.median(column[before])
            cells.append(f"n^{math.log(growth) / math.log(words / before):.2f}")
        lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Times every mixer at every length, in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument(
        "--words", default=[512, 1024, 2048, 4096, 8192],
        type=lambda text: [int(part) for part in text.split(",")],
    )
    given = parser.parse_args()
    times: dict[str, dict[int, list[float]]] = {"additive": {}, "softmax": {}}
    with tempfile.TemporaryDirectory() as folder:
        for words in given.words:
            for mixer, column in times.items():
                column[words] = step_milliseconds(mixer, words, given, pathlib.Path(folder))
    print(f"{cpu_model()}, {given.threads} threads, {given.precision}, steps of {max(given.words)} "
          f"words, summaries of {_SUMMARY}\n\n{table(times)}")


if __name__ == "__main__":
    main()
