"""Times training and evaluation of recommenders against a padded NRMS in PyTorch, in one run.

The data is synthetic, in MIND's format and with its lengths (synthetic_mind.py). Width 256, 16
heads, titles of at most 30 words, histories of at most 50, 64 clicks per batch with 4 negatives,
fp32. Before anything is timed, the peer computes the measures of a part of the impressions with the
parameters of our trained NRMS, and they must equal ours. Ours are timed as a user runs them:
training by the seconds that result.json has, evaluation as a whole process, reading included; the
peer without its reading.

Usage: recommendation.py [--rounds 3] [--threads 2] [--large FOLDER]

Prints a Markdown table: median clicks or impressions per second, and the median over the rounds of
the ratio to the peer. --large instead writes a data set of the size of MIND-large into FOLDER, where
it stays, and evaluates a model on it and on one with half as many impressions: seconds, and the peak
of memory.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence

import torch
from attention_block import cpu_model
from padded_nrms import Nrms, Shape, pad
from safetensors.torch import load_file
from synthetic_mind import Size, write
from torch import Tensor
from torch.nn import functional

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_PROGRAM = _ROOT / "build" / "release" / "bin" / "fastformer"
_SIZE = Size(news=20_000, users=20_000, impressions=20_000)
_TITLE, _HISTORY, _BATCH, _NEGATIVES = 30, 50, 64, 4
_STEPS, _PEER_STEPS, _PEER_IMPRESSIONS, _CHECKED = 100, 5, 64, 200
_TOLERANCE = 1e-5

Impression = tuple[list[int], list[int]]  # history, candidates; the first of these is clicked


class Run:
    """One of our models, trained on a folder."""

    def __init__(self, model: str, data: pathlib.Path, folder: pathlib.Path, threads: int) -> None:
        self.model, self.data, self.threads = model, data, threads
        self.parent, self.trainings = folder, 0

    @property
    def folder(self) -> pathlib.Path:
        """Of the last training."""
        return self.parent / f"{self.model}-{self.trainings}"

    def train(self) -> float:
        """Clicks a second."""
        self.trainings += 1
        fields = {
            "data.train": f'["{self.data}"]', "data.validation": "[]", "data.test": "[]",
            "data.title_tokens": _TITLE, "data.history": _HISTORY, "text.minimum_count": 1,
            "model.model": self.model, "model.negatives": _NEGATIVES, "train.epochs": 1,
            "train.max_steps": _STEPS, "train.batch_size": _BATCH, "train.precision": "fp32",
            "train.threads": self.threads,
        }
        overrides = [part for n, v in fields.items() for part in ("--set", f"{n}={v}")]
        subprocess.run(
            [_PROGRAM, "train", _ROOT / "recipes/mind.toml", "--output", self.folder, *overrides],
            check=True, capture_output=True,
        )
        result = json.loads((self.folder / "result.json").read_text(encoding="utf-8"))
        return _BATCH * result["steps"] / result["training_seconds"]

    def evaluate(self, data: pathlib.Path) -> dict[str, float]:
        """The measures, and "seconds" and "peak" (bytes) of the process."""
        started = time.perf_counter()
        with tempfile.TemporaryFile() as answer:
            process = subprocess.Popen(
                [_PROGRAM, "evaluate", self.folder / "model", data, "--json"],
                stdout=answer, env=os.environ | {"OMP_NUM_THREADS": str(self.threads)},
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise RuntimeError(f"evaluate {self.model}: see the message above")
            answer.seek(0)
            measures = json.load(answer)
        seconds = time.perf_counter() - started
        return measures | {"seconds": seconds, "peak": usage.ru_maxrss * 1024}


def read_impressions(data: pathlib.Path) -> list[Impression]:
    """Of a synthetic data set, histories cut to their last clicks."""
    impressions = []
    for line in (data / "behaviors.tsv").read_text(encoding="utf-8").splitlines():
        _, _, _, history, shown = line.split("\t")
        numbers = [int(name[1:]) for name in history.split()][-_HISTORY:]
        impressions.append((numbers, [int(name[1:-2]) for name in shown.split()]))
    return impressions


def read_titles(data: pathlib.Path, vocabulary: pathlib.Path) -> Tensor:
    """[items + 1, title] tokens; the last row is an empty title."""
    names = vocabulary.read_text(encoding="utf-8").splitlines()
    ids = {name: number for number, name in enumerate(names)}
    rows = []
    for line in (data / "news.tsv").read_text(encoding="utf-8").splitlines():
        words = [ids[word] for word in line.split("\t")[3].split()][:_TITLE]
        rows.append(words + [0] * (_TITLE - len(words)))
    return torch.tensor(rows + [[0] * _TITLE])


class Peer:
    """The padded NRMS on the same data with the same parameters."""

    def __init__(self, run: Run) -> None:
        model = run.folder / "model"
        self.titles = read_titles(run.data, model / "vocab.txt")
        self.impressions = read_impressions(run.data)
        tensors = load_file(model / "model.safetensors")
        vocabulary = len(tensors["embedding.token.weight"])
        self.nrms = Nrms(Shape(vocabulary, title=_TITLE, history=_HISTORY), dropout=0.2)
        self.nrms.load(tensors)
        self.adam = torch.optim.Adam(self.nrms.parameters(), lr=1e-4)

    @torch.no_grad()
    def scores(self, impressions: Sequence[Impression]) -> list[Tensor]:
        """Of the candidates of each; a few impressions at a time."""
        self.nrms.eval()
        scores = []
        for first in range(0, len(impressions), 8):
            part = impressions[first : first + 8]
            longest = max(len(shown) for _, shown in part)
            padded = self.nrms(
                pad([history for history, _ in part], _HISTORY, self.titles),
                pad([shown for _, shown in part], longest, self.titles),
            )
            scores += [row[: len(shown)] for row, (_, shown) in zip(padded, part)]
        return scores

    def train(self) -> float:
        """Clicks a second."""
        self.nrms.train()
        usable = [i for i in self.impressions if len(i[1]) > _NEGATIVES]
        started = 0.0
        for step in range(_PEER_STEPS + 1):
            if step == 1:  # the first warms up
                started = time.perf_counter()
            part = usable[step * _BATCH : (step + 1) * _BATCH]
            logits = self.nrms(
                pad([history for history, _ in part], _HISTORY, self.titles),
                pad([shown[: _NEGATIVES + 1] for _, shown in part], _NEGATIVES + 1, self.titles),
            )
            loss = functional.cross_entropy(logits, torch.zeros(_BATCH, dtype=torch.long))
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
        return _PEER_STEPS * _BATCH / (time.perf_counter() - started)

    def evaluate(self) -> float:
        """Impressions a second."""
        started = time.perf_counter()
        self.scores(self.impressions[:_PEER_IMPRESSIONS])
        return _PEER_IMPRESSIONS / (time.perf_counter() - started)


def measures_of(scores: Sequence[Tensor]) -> dict[str, float]:
    """AUC and loss where the first candidate of each impression alone is clicked."""
    auc, loss = [], []
    for row in scores:
        own, others = row[0].double(), row[1:].double()
        auc.append(((own > others).double() + 0.5 * (own == others)).mean())
        loss.append(torch.logsumexp(row.double(), 0) - own)
    return {"auc": torch.stack(auc).mean().item(), "loss": torch.stack(loss).mean().item()}


def check(run: Run, peer: Peer, folder: pathlib.Path) -> None:
    """Raises RuntimeError unless our program and the peer measure the same."""
    part = folder / "checked"
    part.mkdir()
    (part / "news.tsv").write_bytes((run.data / "news.tsv").read_bytes())
    lines = (run.data / "behaviors.tsv").read_text(encoding="utf-8").splitlines()[:_CHECKED]
    (part / "behaviors.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    ours, theirs = run.evaluate(part), measures_of(peer.scores(peer.impressions[:_CHECKED]))
    for name, value in theirs.items():
        if not abs(ours[name] - value) < _TOLERANCE:
            raise RuntimeError(f"{name} is {ours[name]:.6f} here and {value:.6f} by the peer")


def compare(rounds: int, threads: int) -> None:
    """The table."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write(folder / "data", _SIZE)
        runs = [Run(model, folder / "data", folder, threads) for model in ("nrms", "fastformer")]
        for run in runs:
            run.train()
        peer = Peer(runs[0])
        check(runs[0], peer, folder)
        rates: dict[tuple[str, str], list[float]] = {}
        for _ in range(rounds):
            rates.setdefault(("training, clicks/s", "peer"), []).append(peer.train())
            rates.setdefault(("evaluation, impressions/s", "peer"), []).append(peer.evaluate())
            for run in runs:
                rates.setdefault(("training, clicks/s", run.model), []).append(run.train())
                speed = _SIZE.impressions / run.evaluate(run.data)["seconds"]
                rates.setdefault(("evaluation, impressions/s", run.model), []).append(speed)
    print(f"{cpu_model()}, {threads} threads, PyTorch {torch.__version__}, fp32\n")
    print("| | padded NRMS in PyTorch | nrms here | ratio | fastformer here | ratio |")
    print("|---|---|---|---|---|---|")
    for kind in ("training, clicks/s", "evaluation, impressions/s"):
        theirs = rates[kind, "peer"]
        cells = [f"{statistics.median(theirs):.0f} ({min(theirs):.0f}-{max(theirs):.0f})"]
        for run in runs:
            ours = rates[kind, run.model]
            ratio = statistics.median(a / b for a, b in zip(ours, theirs))
            cells += [f"{statistics.median(ours):.0f} ({min(ours):.0f}-{max(ours):.0f})",
                      f"{ratio:.1f}"]
        print(f"| {kind} | {' | '.join(cells)} |")


def evaluate_large(folder: pathlib.Path, threads: int) -> None:
    """Time and memory at the size of MIND-large."""
    whole, half = Size(), Size(impressions=Size.impressions // 2)
    for name, size in (("whole", whole), ("half", half)):
        if not (folder / name / "behaviors.tsv").exists():
            write(folder / name, size)
    with tempfile.TemporaryDirectory() as name:
        small = pathlib.Path(name) / "data"
        write(small, _SIZE)
        run = Run("fastformer", small, pathlib.Path(name), threads)
        run.train()
        print(f"{cpu_model()}, {threads} threads\n")
        print("| impressions | seconds | peak, GiB |\n|---|---|---|")
        for part, size in (("half", half), ("whole", whole)):
            result = run.evaluate(folder / part)
            print(f"| {size.impressions:,} | {result['seconds']:.0f} | "
                  f"{result['peak'] / 2**30:.2f} |")


def main() -> None:
    """Checks, then times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--large", type=pathlib.Path, metavar="FOLDER")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.large is not None:
        evaluate_large(given.large, given.threads)
    else:
        compare(given.rounds, given.threads)


if __name__ == "__main__":
    main()
