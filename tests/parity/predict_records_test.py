"""Each record has one answer, whatever bytes it holds, or one sentence says what cannot be read."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import random
import re

import pytest
from table_cases import PROGRAM, run, train_model

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason="no program: cmake --build --preset release"
)
_FILES = 15
_PLAIN = (b"a", b"great chair", b" ", b"\xc3\xa9", b"\xe5\xad\x97", b"\xf0\x9f\x98\x80", b"'", b"\\", b"=")
_MARKS = (b",", b";", b"\t", b'"', b"\n", b"\r", b"|", b'""', b"\r\n", b"\xe2\x80\xa8")
_BROKEN = (b"\x00", b"\xff", b"\xe9", b"\xc3", b"\xed\xa0\x80", b"\x1b[2J", b"\xf4\x90\x80\x80")


@pytest.fixture(scope="module", name="model")
def _model(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return train_model(tmp_path_factory.mktemp("model"))


def _cell(generator: random.Random, broken: bool) -> bytes:
    choices = _PLAIN + _MARKS + (_BROKEN if broken else ())
    return b"".join(generator.choices(choices, k=generator.randrange(8)))


def _check(
    model: pathlib.Path, file: pathlib.Path, records: int, broken: bool, *arguments: str
) -> bool:
    """Whether there were answers; then there are as many as records."""
    result = run("predict", model, file, "--json", *arguments)
    error = result.stderr.decode()
    if result.returncode == 0:
        answers = result.stdout.decode().split("\n")[:-1]
        assert [json.loads(answer)["row"] for answer in answers] == [*range(1, records + 1)]
        return True
    assert broken, f"{file.read_bytes()!r}: {error}"
    assert result.returncode == 1
    assert error.count("\n") == 1
    assert re.search(re.escape(file.name) + r":\d+: ", error), error
    return False


def _write(file: pathlib.Path, rows: list[list[bytes]], delimiter: str) -> None:
    """By the csv module, each byte as a character of Latin-1."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["label", "text"])
    writer.writerows([[cell.decode("latin-1") for cell in row] for row in rows])
    file.write_bytes(stream.getvalue().encode("latin-1"))


@pytest.mark.parametrize("broken", (False, True))
@pytest.mark.parametrize("kind", ("csv", "tsv", "semicolons"))
def test_tables_of_random_bytes(
    tmp_path: pathlib.Path, model: pathlib.Path, kind: str, broken: bool
) -> None:
    generator = random.Random(f"{kind} {broken}")
    answered = 0
    for i in range(_FILES):
        rows = [
            [generator.choice((b"pos", b"neg")), _cell(generator, broken)]
            for _ in range(generator.randrange(1, 12))
        ]
        file = tmp_path / f"{i}.{'tsv' if kind == 'tsv' else 'csv'}"
        _write(file, rows, {"csv": ",", "tsv": "\t", "semicolons": ";"}[kind])
        answered += _check(model, file, len(rows), broken)
        _check(model, file, len(rows), False, "--set", 'data.invalid_utf8="replace"')
    assert answered >= (1 if broken else _FILES)


@pytest.mark.parametrize("broken", (False, True))
def test_json_lines_of_random_bytes(
    tmp_path: pathlib.Path, model: pathlib.Path, broken: bool
) -> None:
    generator = random.Random(broken)
    for i in range(_FILES):
        cells = [_cell(generator, broken) for _ in range(generator.randrange(1, 12))]
        # Bytes from 0x80 on stay as they are; the others are written as JSON has them.
        texts = [
            json.dumps(cell.decode("latin-1"), ensure_ascii=False).encode("latin-1")
            for cell in cells
        ]
        file = tmp_path / f"{i}.jsonl"
        file.write_bytes(b"".join(b'{"text": ' + text + b"}\n" for text in texts))
        _check(model, file, len(cells), broken)
        _check(model, file, len(cells), False, "--set", 'data.invalid_utf8="replace"')


@pytest.mark.parametrize("broken", (False, True))
def test_lines_of_random_bytes(tmp_path: pathlib.Path, model: pathlib.Path, broken: bool) -> None:
    generator = random.Random(7)
    for i in range(_FILES):
        cells = [
            re.sub(rb"[\r\n]", b" ", _cell(generator, broken))
            for _ in range(generator.randrange(1, 12))
        ]
        file = tmp_path / f"{i}.txt"
        file.write_bytes(b"".join(cell + b"\n" for cell in cells))
        _check(model, file, len(cells), broken)


@pytest.mark.parametrize("ending", ("csv", "tsv", "jsonl", "json", "txt"))
def test_files_of_random_bytes_are_read_or_refused_in_one_sentence(
    tmp_path: pathlib.Path, model: pathlib.Path, ending: str
) -> None:
    generator = random.Random(ending)
    for i in range(_FILES):
        head = generator.choice((b"", b"label,text\n", b"label\ttext\n", b'{"text": "a"}\n', b"[\n"))
        body = b"".join(_cell(generator, broken=True) for _ in range(generator.randrange(1, 30)))
        file = tmp_path / f"{i}.{ending}"
        file.write_bytes(head + body)
        result = run("predict", model, file, "--json")
        assert result.returncode in (0, 1), (head + body, result.stderr)
        assert result.stderr.count(b"\n") <= 1 + (result.returncode == 0), result.stderr
        rows = [json.loads(line)["row"] for line in result.stdout.decode().split("\n")[:-1]]
        assert rows == [*range(1, len(rows) + 1)]
