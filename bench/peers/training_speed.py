"""Times training and inference of a text classifier against PyTorch, in turns within one run.

Contenders: the authors' form as their notebook runs it (padded to one length, masks, dense Adam),
the fastest form in plain PyTorch (batches of similar length, the cheaper exact form, sparse
embeddings, compiled; also with autocast to bf16), and this library in fp32 and bf16. All have the
architecture of the notebook (2 layers, width 256, 16 heads), batches of 64 documents, and the same
tokens: those of our tokenizer.

Before anything is timed, the peers with the parameters of our trained model must reach its accuracy
and its loss on the test part.

Usage: training_speed.py [--data ag_news imdb] [--rounds 3] [--threads 2]

Prints Markdown tables. Training: tokens per second without padding, the median over the steps.
Inference: documents per second of the test part; ours, with fastformer-run, as a whole process that
starts, reads and splits the texts into tokens, also with the model in 8 bits; the peers without these
steps.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence

import authors_form
import careful_form
import torch
from attention_block import cpu_model
from authors_form import AuthorsForm, Settings
from careful_form import CarefulForm
from labelled_text import label_numbers, read_labelled_text
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_PROGRAM = _ROOT / "build" / "release" / "bin" / "fastformer"
_RUN = _ROOT / "build" / "release" / "bin" / "fastformer-run"
_BATCH, _STEPS, _PEER_STEPS, _CAREFUL_STEPS = 64, 200, 15, 40
_TOLERANCE = 1e-4
_LOST = 0.002  # accuracy, by rounding
_ARCHITECTURE = {
    "model.preset": "authors_code", "model.layers": 2, "model.width": 256, "model.heads": 16,
    "model.ffn_width": 256, "model.bigram_buckets": 0, "model.embedding_normalization": "true",
    "model.token_dropout": 0, "train.adversarial": 0, "linear.members": "[]",
}


@dataclasses.dataclass(frozen=True)
class Task:
    """A recipe, what its test part needs, and the length to which the authors pad."""

    length: int
    test: Mapping[str, str]


_TASKS = {
    "ag_news": Task(256, {
        "data.test": '["local/ag_news/test.csv"]', "data.test_text_columns": '["2", "3"]',
    }),
    "imdb": Task(512, {"data.test": '["local/imdb/test"]'}),
}


def program(*arguments: object, threads: int, standard_input: str | None = None) -> str:
    """What our program prints."""
    done = subprocess.run(
        [_PROGRAM, *map(str, arguments)], capture_output=True, text=True, cwd=_ROOT,
        input=standard_input, env=os.environ | {"OMP_NUM_THREADS": str(threads)},
    )
    if done.returncode != 0:
        raise RuntimeError(f"{arguments[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def overrides(fields: Mapping[str, object]) -> list[str]:
    """As the command line takes them."""
    return [part for name, value in fields.items() for part in ("--set", f"{name}={value}")]


@dataclasses.dataclass(frozen=True)
class Documents:
    """Tokens, 0 being left for padding, and class numbers."""

    tokens: list[list[int]]
    labels: list[int]


class Ours:
    """This library on the exported parts of a recipe."""

    def __init__(self, name: str, folder: pathlib.Path, threads: int) -> None:
        self.task, self.threads, self.folder = _TASKS[name], threads, folder
        self.recipe = f"recipes/{name}.toml"
        program("export", self.recipe, folder, *overrides(self.task.test), threads=threads)
        self.train("fp32")
        config = (self.model("fp32") / "config.json").read_text(encoding="utf-8")
        self.labels = json.loads(config)["classifier"]["labels"]

    def model(self, precision: str) -> pathlib.Path:
        """The model directory of the last training."""
        return self.folder / precision / "model"

    def train(self, precision: str) -> float:
        """Tokens a second."""
        run = self.folder / precision
        fields = _ARCHITECTURE | {
            "data.format": "tsv", "data.train": f'["{self.folder}/train.tsv"]',
            "data.text_columns": '["2"]', "data.label_column": '"1"', "data.header": "no",
            "data.validation_fraction": 0, "data.max_tokens": self.task.length,
            "data.cache": self.folder / "cache", "model.max_positions": self.task.length,
            "train.batch_size": _BATCH, "train.max_steps": _STEPS, "train.log_every": 10,
            "train.threads": self.threads, "train.precision": precision,
        }
        shutil.rmtree(run, ignore_errors=True)
        program("train", self.recipe, "--output", run, *overrides(fields), threads=self.threads)
        lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        return statistics.median(r["tokens_per_second"] for r in rows[1:] if "loss" in r)

    def measures(self) -> dict[str, float]:
        """Those of the fp32 model on the test part."""
        return json.loads(program("evaluate", self.model("fp32"), self.folder / "test.tsv", "--json",
                                  threads=self.threads))

    def quantize(self) -> pathlib.Path:
        """The fp32 model in 8 bits."""
        small = self.folder / "small"
        program("quantize", self.model("fp32"), small, "--bits", 8, threads=self.threads)
        return small

    def infer(self, model: pathlib.Path, precision: str) -> tuple[float, float]:
        """Documents per second of the runtime's whole process, and the accuracy."""
        test = read_labelled_text([self.folder / "test.tsv"])
        texts = self.folder / "texts.txt"
        texts.write_text("".join(" ".join(text.split()) + "\n" for text in test.texts),
                         encoding="utf-8")
        command = [_RUN, "classify", model, texts, "--precision", precision,
                   "--threads", str(self.threads)]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - started
        answers = [line.split("\t")[0] for line in done.stdout.splitlines()]
        right = sum(a == b for a, b in zip(answers, test.labels, strict=True))
        return len(answers) / seconds, right / len(answers)

    def documents(self, part: str) -> Documents:
        """Of an exported part, as the model reads them, in random order."""
        read = read_labelled_text([self.folder / f"{part}.tsv"])
        texts = "".join(text + "\n" for text in read.texts)
        printed = program("tokenize", "--ids", self.model("fp32"), threads=self.threads,
                          standard_input=texts).split("\n")[:-1]
        if len(printed) != len(read.texts):
            raise RuntimeError(f"{len(read.texts)} documents have {len(printed)} lines of tokens")
        tokens = [[1 + int(token) for token in line.split()[: self.task.length]] for line in printed]
        labels = label_numbers(read.labels, self.labels)
        order = random.Random(1).sample(range(len(tokens)), len(tokens))
        return Documents([tokens[i] for i in order], [labels[i] for i in order])


class Peers:
    """The two forms in PyTorch with the parameters of our model."""

    def __init__(self, ours: Ours) -> None:
        self.length = ours.task.length
        self.train, self.test = ours.documents("train"), ours.documents("test")
        state = load_file(ours.model("fp32") / "model.safetensors")
        words = state["embedding.token.weight"]
        state["embedding.token.weight"] = torch.cat([torch.zeros_like(words[:1]), words])
        settings = Settings(len(words) + 1, len(ours.labels), length=self.length)
        self.authors, self.careful = AuthorsForm(settings), CarefulForm(settings)
        self.authors.load_state_dict(state)
        self.careful.load_state_dict(state)
        self.compiled = torch.compile(self.careful, dynamic=True)

    def logits(self, model: AuthorsForm) -> Tensor:
        """[documents, classes] of the test part."""
        model.eval()
        tokens = self.test.tokens
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        found = torch.empty(len(tokens), model.classifier.out_features)
        with torch.no_grad():
            for first in range(0, len(order), _BATCH):
                chosen = order[first : first + _BATCH]
                found[chosen] = model(careful_form.pad_to_longest([tokens[i] for i in chosen]))
        return found

    def check(self, measures: Mapping[str, float]) -> None:
        """Raises RuntimeError unless both peers measure what our program does."""
        labels = torch.tensor(self.test.labels)
        for model in (self.authors, self.careful):
            logits = self.logits(model).double()
            theirs = {
                "accuracy": (logits.argmax(1) == labels).double().mean().item(),
                "loss": functional.cross_entropy(logits, labels).item(),
            }
            for name, value in theirs.items():
                if not abs(measures[name] - value) < _TOLERANCE:
                    raise RuntimeError(
                        f"{name} is {measures[name]:.6f} here, {value:.6f} by {type(model).__name__}"
                    )

    def careful_call(self, bf16: bool) -> Callable[[Tensor], Tensor]:
        """The compiled form."""

        def call(ids: Tensor) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                return self.compiled(ids).float()

        return call

    def contenders(self) -> dict[str, tuple[Callable[[], float], Callable[[], float]]]:
        """Training tokens and inferred documents a second, by name."""
        train, test = self.train, self.test
        table = {
            "authors' form": (
                functools.partial(authors_form.training_speed, self.authors, train.tokens,
                                  train.labels, _BATCH, self.length, _PEER_STEPS),
                functools.partial(authors_form.inference_speed, self.authors, test.tokens, _BATCH,
                                  self.length, _PEER_STEPS),
            )
        }
        for name, bf16 in (("PyTorch at its best", False), ("PyTorch at its best, bf16", True)):
            call = self.careful_call(bf16)
            table[name] = (
                functools.partial(careful_form.training_speed, self.careful, call, train.tokens,
                                  train.labels, _BATCH, _CAREFUL_STEPS),
                functools.partial(careful_form.inference_speed, self.careful, call,
                                  test.tokens[: 40 * _BATCH], _BATCH),
            )
        return table


def print_table(title: str, rates: Mapping[str, Sequence[float]]) -> None:
    """Medians, least and most, and the medians of the ratios of the rounds."""
    names = list(rates)
    bases = names[:2]
    print(f"\n| {title} | median | least and most | " + " | ".join(f"to {b}" for b in bases) + " |")
    print("|---|---|---|---|---|")
    for name in names:
        ratios = [
            statistics.median(a / b for a, b in zip(rates[name], rates[base])) for base in bases
        ]
        print(f"| {name} | {statistics.median(rates[name]):,.0f} | "
              f"{min(rates[name]):,.0f}-{max(rates[name]):,.0f} | "
              + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")


def compare(name: str, rounds: int, threads: int) -> None:
    """The two tables of one recipe."""
    with tempfile.TemporaryDirectory() as folder:
        ours = Ours(name, pathlib.Path(folder), threads)
        peers = Peers(ours)
        peers.check(ours.measures())
        models = {"fp32": (ours.model("fp32"), "fp32"), "bf16": (ours.model("fp32"), "bf16"),
                  "8 bits": (ours.quantize(), "fp32")}
        accuracy = {f"here, {of}": ours.infer(*model)[1] for of, model in models.items()}
        for contender, value in accuracy.items():
            if abs(value - ours.measures()["accuracy"]) > _LOST:
                raise RuntimeError(f"{contender}: accuracy {value:.4f}")
        kept = ours.folder / "kept"
        shutil.copytree(ours.model("fp32"), kept)  # training replaces the model
        models = {of: (kept if of != "8 bits" else model, precision)
                  for of, (model, precision) in models.items()}
        table = peers.contenders()
        trainers = {name: train for name, (train, _) in table.items()}
        infers = {name: infer for name, (_, infer) in table.items()}
        for precision in ("fp32", "bf16"):
            trainers[f"here, {precision}"] = functools.partial(ours.train, precision)
        for of, model in models.items():
            infers[f"here, {of}"] = functools.partial(lambda m: ours.infer(*m)[0], model)
        training: dict[str, list[float]] = {contender: [] for contender in trainers}
        inference: dict[str, list[float]] = {contender: [] for contender in infers}
        for _ in range(rounds):
            for contender, train in trainers.items():
                training[contender].append(train())
            for contender, infer in infers.items():
                inference[contender].append(infer())
    print_table(f"{name}: training, tokens/s", training)
    print_table(f"{name}: inference, documents/s", inference)
    print("\naccuracy: " + ", ".join(f"{of} {value:.4f}" for of, value in accuracy.items()))


def main() -> None:
    """Checks, then times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=_TASKS, default=list(_TASKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    authors_form.check_against_oracle(AuthorsForm)
    authors_form.check_against_oracle(CarefulForm)
    print(f"{cpu_model()}, {given.threads} threads, PyTorch {torch.__version__}")
    for name in given.data:
        compare(name, given.rounds, given.threads)


if __name__ == "__main__":
    main()
