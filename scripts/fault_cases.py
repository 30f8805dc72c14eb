"""The small trainings of scripts/fault_campaign, and what must be the same after every fault."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import random

_CLASSIFIER = """
[data]
header = "no"
train = ["train.csv"]
text_columns = ["2"]
label_column = "1"
validation_fraction = 0.2
test_fraction = 0.2
[model]
width = 16
heads = 2
ffn_width = 16
bigram_buckets = 512
[train]
batch_size = 8
epochs = {epochs}
learning_rate = 0.01
threads = 1
checkpoint_every = 5
evaluate_every = 5
log_every = 1
"""
_RECOMMENDER = """
[task]
name = "recommendation"
[data]
train = ["train"]
validation = ["validation"]
test = ["test"]
[text]
minimum_count = 1
[model]
model = "nrms"
width = 16
heads = 2
query_width = 8
[model.users]
heads = 2
[train]
batch_size = 4
epochs = 12
threads = 1
checkpoint_every = 5
log_every = 1
"""
_SUMMARIZER = """
[task]
name = "summarization"
[data]
train = ["train.jsonl"]
validation = ["validation.jsonl"]
test = ["test.jsonl"]
[text]
minimum_count = 1
[model]
width = 16
heads = 2
layers = 1
ffn_width = 16
max_positions = 0
[model.decoder]
layers = 1
ffn_width = 16
max_positions = 16
[search]
beams = 2
max_tokens = 8
[train]
batch_size = 4
epochs = 6
threads = 1
checkpoint_every = 5
log_every = 1
"""
_GRID = """
[experiment]
name = "grid"
output = "{output}"
seeds = [1, 2]
metrics = ["accuracy", "loss"]
set = {{ "train.epochs" = 1 }}
[[data]]
name = "whole"
recipe = "classification.toml"
[[variant]]
name = "base"
[[variant]]
name = "concat"
set = {{ "model.mixer.interaction" = "concat" }}
"""
_CELLS = tuple(f"whole/{variant}/seed-{seed}" for variant in ("base", "concat") for seed in (1, 2))


@dataclasses.dataclass(frozen=True)
class Case:
    """A command that a fault can end, and then is called again."""

    name: str
    arguments: tuple[str, ...]  # "{output}" is the run, "{model}" a finished classifier
    results: tuple[str, ...]  # files below the output
    resumes: bool = True  # by --resume, if the run has begun
    moment: str = ""  # a file whose making is the moment of the fault; "": any moment


def _train(task: str, *results: str) -> Case:
    arguments = ("train", f"{task}.toml", "--output", "{output}")
    return Case(task, arguments, ("model/model.safetensors", "test.json", *results))


CLASSIFICATION = _train("classification", "test_predictions.csv", "model/config.json")
CASES: tuple[Case, ...] = (
    CLASSIFICATION,
    _train("recommendation", "prediction.txt", "test_items.csv", "model/config.json"),
    _train("summarization", "test_summaries.jsonl", "test_items.csv", "model/config.json"),
    dataclasses.replace(CLASSIFICATION, name="saving", moment="model.tmp.*"),
    dataclasses.replace(CLASSIFICATION, name="checkpoints", moment="checkpoints/*.tmp.*"),
    Case(
        "evaluation",
        ("evaluate", "{model}", "train.csv", "--errors", "{output}/errors.csv"),
        ("errors.csv",),
        resumes=False,
    ),
    Case(
        "errors",
        ("evaluate", "{model}", "train.csv", "--errors", "{output}/errors.csv"),
        ("errors.csv",),
        resumes=False,
        moment="errors.csv.tmp.*",
    ),
    Case(
        "experiment",
        ("experiment", "{output}.toml"),
        tuple(f"{cell}/{file}" for cell in _CELLS for file in ("test.json", "test_predictions.csv")),
        resumes=False,
    ),
)


def write_experiment(output: pathlib.Path) -> None:
    """The file of the experiment that fills `output`."""
    text = _GRID.format(output=output.name)
    output.with_name(output.name + ".toml").write_text(text, encoding="utf-8")


def write_data(folder: pathlib.Path, seed: int) -> None:
    """The data and the recipes of every case."""
    chance = random.Random(seed)
    (folder / "classification.toml").write_text(_CLASSIFIER.format(epochs=3), encoding="utf-8")
    (folder / "recommendation.toml").write_text(_RECOMMENDER, encoding="utf-8")
    (folder / "summarization.toml").write_text(_SUMMARIZER, encoding="utf-8")
    with (folder / "train.csv").open("w", encoding="utf-8") as file:
        for i in range(400):
            n = chance.randrange(40)
            row = (f"market,oil prices fall {n} percent", f"sport,the team wins match {n} of {i}")
            file.write(row[chance.random() < 0.5] + "\n")
    for part, count in (("train", 60), ("validation", 8), ("test", 12)):
        _write_clicks(folder / part, count, chance)
        _write_pairs(folder / f"{part}.jsonl", count, chance)


def _write_clicks(folder: pathlib.Path, count: int, chance: random.Random) -> None:
    folder.mkdir()
    items = [(f"S{i}", f"the team wins match {i}") for i in range(10)]
    items += [(f"M{i}", f"oil prices fall {i} percent") for i in range(10)]
    rows = (f"{name}\tnews\tnone\t{title}\tnone\tnone\t[]\t[]\n" for name, title in items)
    (folder / "news.tsv").write_text("".join(rows), encoding="utf-8")
    with (folder / "behaviors.tsv").open("w", encoding="utf-8") as file:
        for i in range(count):
            own, other = chance.sample(["S", "M"], 2)
            history = f"{own}{chance.randrange(10)} {own}{chance.randrange(10)}"
            shown = [f"{own}{chance.randrange(10)}-1"]
            shown += [f"{other}{n}-0" for n in chance.sample(range(10), 5)]
            chance.shuffle(shown)
            time = f"11/15/2019 8:{10 + i // 2}:{10 + i % 2 * 30} AM"
            file.write(f"{i + 1}\tU{i}\t{time}\t{history}\t{' '.join(shown)}\n")


def _write_pairs(path: pathlib.Path, count: int, chance: random.Random) -> None:
    with path.open("w", encoding="utf-8") as file:
        for _ in range(count):
            n, calm = chance.randrange(9), chance.random() < 0.5
            target = f"oil falls {n}" if calm else f"team wins {n}"
            first = "Markets were calm" if calm else "The crowd cheered"
            source = f"{first} . {target.capitalize()} times . That was all today ."
            file.write(json.dumps({"source": source, "target": target}) + "\n")
