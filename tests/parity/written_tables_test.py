"""Tables that pandas, Python's csv and json modules, Excel and Spark write are read as they were."""

from __future__ import annotations

import csv
import io
import json
import pathlib
from collections.abc import Iterable

import pandas
import pytest
from table_cases import PROGRAM, assert_equal, predicted, random_records, train_model

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason="no program: cmake --build --preset release"
)
_SEEDS = (1, 2, 3)
_COLUMNS = ("id", "label", "text")


@pytest.fixture(scope="module", name="model")
def _model(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return train_model(tmp_path_factory.mktemp("model"))


# Arguments of to_csv, and the ending of the file's name.
_PANDAS = {
    "default": ({}, ".csv"),
    "semicolons": ({"sep": ";"}, ".csv"),
    "bars": ({"sep": "|"}, ".csv"),
    "tabs": ({"sep": "\t"}, ".tsv"),
    "tabs in a csv": ({"sep": "\t"}, ".csv"),
    "utf-16": ({"encoding": "utf-16"}, ".csv"),
    "utf-32": ({"encoding": "utf-32"}, ".csv"),
    "utf-8 with a mark": ({"encoding": "utf-8-sig"}, ".csv"),
    "all quoted": ({"quoting": csv.QUOTE_ALL}, ".csv"),
    "all quoted, tabs": ({"quoting": csv.QUOTE_ALL, "sep": "\t"}, ".tsv"),
    "texts quoted": ({"quoting": csv.QUOTE_NONNUMERIC}, ".csv"),
    "line ends of Windows": ({"lineterminator": "\r\n"}, ".csv"),
    "gzip": ({}, ".csv.gz"),
    "zip": ({}, ".csv.zip"),
    "xz": ({}, ".csv.xz"),
    "backslashes": ({"doublequote": False, "escapechar": "\\", "quoting": csv.QUOTE_ALL}, ".csv"),
}


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("kind", _PANDAS)
def test_what_to_csv_writes(
    tmp_path: pathlib.Path, model: pathlib.Path, kind: str, seed: int
) -> None:
    arguments, ending = _PANDAS[kind]
    records = random_records(seed)
    file = tmp_path / f"table{ending}"
    pandas.DataFrame(records).to_csv(file, index=False, **arguments)
    assert_equal(predicted(model, file), records)


def test_the_index_of_pandas_is_a_column_without_a_name(
    tmp_path: pathlib.Path, model: pathlib.Path
) -> None:
    records = random_records(4)
    file = tmp_path / "table.csv"
    pandas.DataFrame(records).to_csv(file)
    numbered = [{"column_1": str(i), **record} for i, record in enumerate(records)]
    assert_equal(predicted(model, file), numbered)


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("lines", (True, False))
@pytest.mark.parametrize("force_ascii", (True, False))
def test_what_to_json_writes(
    tmp_path: pathlib.Path, model: pathlib.Path, lines: bool, force_ascii: bool, seed: int
) -> None:
    records = random_records(seed)
    file = tmp_path / "table.json"
    pandas.DataFrame(records).to_json(
        file, orient="records", lines=lines, force_ascii=force_ascii
    )
    assert_equal(predicted(model, file), records)


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("dialect", ("excel", "excel-tab", "unix"))
def test_what_the_csv_module_writes(
    tmp_path: pathlib.Path, model: pathlib.Path, dialect: str, seed: int
) -> None:
    records = random_records(seed)
    file = tmp_path / ("table.tsv" if dialect == "excel-tab" else "table.csv")
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, _COLUMNS, dialect=dialect)
        writer.writeheader()
        writer.writerows(records)
    assert_equal(predicted(model, file), records)


@pytest.mark.parametrize("seed", _SEEDS)
@pytest.mark.parametrize("indent", (None, 2))
@pytest.mark.parametrize("ensure_ascii", (True, False))
def test_what_the_json_module_writes(
    tmp_path: pathlib.Path, model: pathlib.Path, indent: int | None, ensure_ascii: bool, seed: int
) -> None:
    records = random_records(seed)
    array = tmp_path / "array.json"
    array.write_text(json.dumps(records, indent=indent, ensure_ascii=ensure_ascii), "utf-8")
    assert_equal(predicted(model, array), records)
    lines = tmp_path / "lines.jsonl"
    lines.write_text(
        "".join(json.dumps(record, ensure_ascii=ensure_ascii) + "\n" for record in records),
        "utf-8", newline="",
    )
    assert_equal(predicted(model, lines), records)


def _table(records: Iterable[dict[str, str]], delimiter: str, first_line: str = "") -> str:
    """A table as Excel saves it: quotes where they must be, and the line ends of Windows."""
    stream = io.StringIO(newline="")
    stream.write(first_line)
    writer = csv.DictWriter(stream, _COLUMNS, delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


@pytest.mark.parametrize("seed", _SEEDS)
def test_what_excel_writes(tmp_path: pathlib.Path, model: pathlib.Path, seed: int) -> None:
    records = random_records(seed)
    files = {
        "european.csv": _table(records, ";").encode("utf-8-sig"),
        "marked.csv": _table(records, ";", "sep=;\r\n").encode("utf-8-sig"),
        "unicode.txt.tsv": b"\xff\xfe" + _table(records, "\t").encode("utf-16-le"),
        "unicode.csv": b"\xff\xfe" + _table(records, ";").encode("utf-16-le"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        assert_equal(predicted(model, tmp_path / name), records)


def test_what_excel_writes_in_an_encoding_of_windows(
    tmp_path: pathlib.Path, model: pathlib.Path
) -> None:
    records = [
        {key: text.replace("字", "€").replace("\u2028", "") for key, text in record.items()}
        for record in random_records(5)
    ]
    file = tmp_path / "ansi.csv"
    file.write_bytes(_table(records, ";").encode("windows-1252"))
    assert_equal(predicted(model, file, "--set", 'data.encoding="windows-1252"'), records)


def _spark_cell(text: str) -> str:
    """Spark's default (DataFrameWriter.csv): a cell that holds a quote, the delimiter or a line end
    is quoted, and its quotes are written as a backslash and a quote."""
    if not any(mark in text for mark in ',"\n\r'):
        return text or '""'
    return '"' + text.replace('"', '\\"') + '"'


@pytest.mark.parametrize("seed", _SEEDS)
def test_what_spark_writes(tmp_path: pathlib.Path, model: pathlib.Path, seed: int) -> None:
    # Spark drops blanks around a text, and does not mark a backslash, so that one before a quote
    # cannot be told from a mark.
    records = [
        {key: text.replace("\\", "/").strip() for key, text in record.items()}
        for record in random_records(seed)
    ]
    rows = [",".join(_COLUMNS)]
    rows += [",".join(_spark_cell(record[name]) for name in _COLUMNS) for record in records]
    file = tmp_path / "part-00000.csv"
    file.write_text("\n".join(rows) + "\n", "utf-8", newline="")
    assert_equal(predicted(model, file), records)
