"""What the tests of tables share: a small model, random texts, and the program's reading of a file."""

from __future__ import annotations

import json
import os
import pathlib
import random
import subprocess
from collections.abc import Sequence

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(
    os.environ.get("FASTFORMER_PROGRAM", ROOT / "build" / "release" / "bin" / "fastformer")
)
_RECIPE = """
[data]
train = ["{file}"]
text_columns = ["text"]
label_column = "label"
[text]
minimum_count = 1
[linear]
members = []
[model]
layers = 1
width = 8
heads = 2
ffn_width = 8
[train]
epochs = 1
threads = 1
"""
# Everything that some writer of tables has to mark.
_ALPHABET = ["a", "b", "é", "字", " ", " ", ",", ";", "\t", "|", '"', '"', "'", "\n", "\\", "\u2028", "="]


def run(*arguments: str | pathlib.Path) -> subprocess.CompletedProcess[bytes]:
    """The program with these arguments; a run that takes longer than a minute fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [str(PROGRAM), *map(str, arguments)], capture_output=True, timeout=60, env=environment,
        check=False,
    )


def train_model(folder: pathlib.Path) -> pathlib.Path:
    """A classifier whose training data had the columns label and text."""
    file = folder / "train.csv"
    file.write_text("label,text\n" + "pos,great chair\nneg,awful fan\n" * 8)
    recipe = folder / "recipe.toml"
    recipe.write_text(_RECIPE.format(file=file))
    result = run("train", recipe, "--output", folder / "run")
    assert result.returncode == 0, result.stderr
    return folder / "run" / "model"


def predicted(
    model: pathlib.Path, file: pathlib.Path, *arguments: str
) -> list[dict[str, str]]:
    """The records of a file as the program reads them, without what it adds."""
    result = run("predict", model, file, "--json", "--keep", *arguments)
    assert result.returncode == 0, result.stderr.decode()
    records = [json.loads(line) for line in result.stdout.decode().split("\n")[:-1]]
    for record in records:
        for added in ("predicted", "probability", "probabilities"):
            del record[added]
    return records


def random_text(generator: random.Random) -> str:
    """A few characters, many of them with a meaning in tables."""
    return "".join(generator.choices(_ALPHABET, k=generator.randrange(12)))


def random_records(seed: int, count: int = 40) -> list[dict[str, str]]:
    """Records with an id, a label and a text of any characters."""
    generator = random.Random(seed)
    return [
        {"id": f"r{i}", "label": generator.choice(("pos", "neg")), "text": random_text(generator)}
        for i in range(count)
    ]


def assert_equal(actual: Sequence[dict[str, str]], expected: Sequence[dict[str, str]]) -> None:
    """Compares records by name of column."""
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        assert one == other
