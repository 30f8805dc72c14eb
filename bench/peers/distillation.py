"""A small classifier of AG News that learns from a teacher.

  distillation.py RUN [--seeds 1 2 3] [--texts 10000] [--set section.key=value ...]

RUN is a finished run of recipes/ag_news_minilm.toml, the teacher. The student is the classifier of
recipes/ag_news.toml, with and without the teacher. The unlabelled texts are the first two sentences of
articles of CNN/DailyMail. Prints a Markdown table: accuracy on the validation and the test part, mean and
range over the seeds; documents per second of `predict` over the test texts (wall clock, with loading,
median of three rounds, or one of a slow model), and the peak of its memory.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import itertools
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

from child import cpu_model, measure

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = str(ROOT / "build/release/bin/fastformer")
TEST = ['data.test=["local/ag_news/test.csv"]', 'data.test_text_columns=["2","3"]']
LONG = 30  # seconds, after which one round suffices
# A second training on the validation part would leave nothing to compare choices on.
STUDENT = ["train.refit=false"]


@dataclasses.dataclass
class Row:
    """A contender: its figures for each seed, and a model directory."""

    validation: list[float] = dataclasses.field(default_factory=list)
    test: list[float] = dataclasses.field(default_factory=list)
    model: pathlib.Path = pathlib.Path()

    def add(self, run: pathlib.Path) -> None:
        """One more seed."""
        self.validation.append(json.loads((run / "result.json").read_text())["best_validation"])
        self.test.append(json.loads((run / "test.json").read_text())["accuracy"])
        self.model = run / "model"

    def cells(self, texts: pathlib.Path, documents: int) -> list[str]:
        """The cells of its row."""
        seconds, memory = [], 0.0
        for _ in range(3):
            begun = time.perf_counter()
            _, memory = measure([PROGRAM, "predict", str(self.model), str(texts)], ROOT)
            seconds.append(time.perf_counter() - begun)
            if seconds[0] > LONG:
                break
        spread = f"{min(self.test):.4f} to {max(self.test):.4f}" if len(self.test) > 1 else "one seed"
        return [f"{statistics.mean(self.validation):.4f}", f"{statistics.mean(self.test):.4f}", spread,
                f"{documents / statistics.median(seconds):,.0f}", f"{memory:.0f} MB"]


def write_unlabelled(path: pathlib.Path, count: int) -> None:
    """The first two sentences of so many articles, in the columns of AG News."""
    with (ROOT / "local/cnn_dailymail/train.jsonl").open(encoding="utf-8") as lines, \
            path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        for line in itertools.islice(lines, count):
            sentences = json.loads(line)["article"].split(" . ")
            writer.writerow(["", " . ".join(sentences[:2]) + " ."])


def train(output: pathlib.Path, settings: list[str]) -> None:
    """Trains the student."""
    words = [word for setting in [*TEST, *STUDENT, *settings] for word in ("--set", setting)]
    done = subprocess.run([PROGRAM, "train", "recipes/ag_news.toml", "--output", str(output), *words],
                          cwd=ROOT, text=True, check=False, capture_output=True)
    if done.returncode:
        raise SystemExit(done.stderr.strip().splitlines()[-1])


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--texts", type=int, default=10000, help="unlabelled ones")
    parser.add_argument("--cache", help="folder for the teacher's answers")
    parser.add_argument("--set", action="append", default=[], help="for the student with a teacher")
    options = parser.parse_args()
    run = options.run.resolve()
    rows = {"teacher": Row(), "student": Row(), "student without a teacher": Row()}
    rows["teacher"].add(run)
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        write_unlabelled(work / "unlabelled.csv", options.texts)
        texts = work / "test.txt"
        with (ROOT / "local/ag_news/test.csv").open(newline="", encoding="utf-8") as file:
            documents = [" ".join(row[1:]) for row in csv.reader(file)]
        texts.write_text("\n".join(documents) + "\n", encoding="utf-8")
        taught = [f'train.teacher=["{run / "model"}"]', f'data.unlabelled=["{work / "unlabelled.csv"}"]',
                  f'data.cache="{options.cache or work / "cache"}"', *options.set]
        for seed in options.seeds:
            for contender, settings in (("student", taught), ("student without a teacher", [])):
                output = work / f"{contender} {seed}"
                train(output, [f"train.seed={seed}", *settings])
                rows[contender].add(output)
        print(f"{len(documents)} test texts, {options.texts} unlabelled ones, {cpu_model()}\n")
        print("| | validation | test | range | documents per second | memory |\n|---|---|---|---|---|---|")
        for contender, row in rows.items():
            print(f"| {contender} | " + " | ".join(row.cells(texts, len(documents))) + " |")


if __name__ == "__main__":
    main()
