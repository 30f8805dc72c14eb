"""scripts/plot draws what `fastformer experiment`, `efficiency` and bench/roofline write."""

from __future__ import annotations

import json
import pathlib
import struct
import subprocess
from typing import Any

import pytest

_SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "plot"
_HEADER = (
    "mixer,pass,length,precision,threads,milliseconds_per_layer,low,high,peak_bytes,operations,"
    "status\n"
)


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(_SCRIPT), *map(str, arguments)], capture_output=True, text=True, check=False
    )


def _score(*values: float) -> dict[str, Any]:
    mean = sum(values) / len(values)
    if len(values) == 1:
        return {"mean": mean, "deviation": None, "values": list(values)}
    squares = sum((value - mean) ** 2 for value in values)
    deviation = (squares / (len(values) - 1)) ** 0.5
    return {"mean": mean, "deviation": deviation, "values": list(values)}


def _write_results(folder: pathlib.Path) -> pathlib.Path:
    variants = [
        {
            "name": "additive",
            "metrics": {"accuracy": _score(0.6543, 0.6612), "loss": _score(1.25, 1.31)},
            "paper_percent": {"accuracy": 66.13, "macro_f1": 43.23},
        },
        {"name": "softmax", "metrics": {"accuracy": _score(0.64), "loss": _score(1.5)}},
        {"name": "linear", "metrics": {"accuracy": None, "loss": None}},
    ]
    results = {
        "experiment": "mixers",
        "seeds": [1, 2],
        "metrics": ["accuracy", "loss"],
        "data": [
            {"name": "films", "note": "", "variants": variants},
            {"name": "books", "note": "", "variants": variants},
            {"name": "plays", "note": "", "variants": variants[2:]},
        ],
    }
    folder = folder / "mixers"
    folder.mkdir()
    path = folder / "results.json"
    path.write_text(json.dumps(results), encoding="utf-8")
    return path


def _png_size(path: pathlib.Path) -> tuple[int, int]:
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_points_show_every_variant_and_what_is_not_finished(tmp_path: pathlib.Path) -> None:
    outcome = _run(_write_results(tmp_path))
    assert outcome.returncode == 0, outcome.stderr
    text = (tmp_path / "mixers" / "mixers.svg").read_text(encoding="utf-8")
    for word in ("mixers", "films", "books", "additive", "softmax", "linear", "accuracy, %"):
        assert word in text, word
    assert "plays" not in text  # nothing of it is finished
    assert text.count("not finished") >= 4  # two metrics, two data sets
    assert "65.78" in text and "64.00" in text and "1.280" in text
    assert "the paper" in text
    width, height = _png_size(tmp_path / "mixers" / "mixers.png")
    assert width > 800 and height > 500


def test_scores_of_every_task_have_a_title(tmp_path: pathlib.Path) -> None:
    titles = {
        "auc": "AUC, %", "mrr": "MRR, %", "ndcg_5": "nDCG@5, %", "ndcg_10": "nDCG@10, %",
        "rouge_1": "ROUGE-1, %", "rouge_2": "ROUGE-2, %", "rouge_l": "ROUGE-L, %",
        "rouge_lsum": "ROUGE-Lsum, %",
    }  # fmt: skip
    path = _write_results(tmp_path)
    results = json.loads(path.read_text(encoding="utf-8"))
    results["metrics"] = list(titles)
    for data in results["data"]:
        for variant in data["variants"]:
            variant["metrics"] = {metric: _score(0.5, 0.75) for metric in titles}
    path.write_text(json.dumps(results), encoding="utf-8")
    outcome = _run(path)
    assert outcome.returncode == 0, outcome.stderr
    text = (tmp_path / "mixers" / "mixers.svg").read_text(encoding="utf-8")
    for title in titles.values():
        assert title in text, title


def test_nothing_finished_is_still_a_plot(tmp_path: pathlib.Path) -> None:
    path = _write_results(tmp_path)
    results = json.loads(path.read_text(encoding="utf-8"))
    for data in results["data"]:
        data["variants"] = [v for v in data["variants"] if v["name"] == "linear"]
    path.write_text(json.dumps(results), encoding="utf-8")
    assert _run(path).returncode == 0
    assert "the paper" not in (tmp_path / "mixers" / "mixers.svg").read_text(encoding="utf-8")


def test_the_same_input_gives_the_same_files(tmp_path: pathlib.Path) -> None:
    path = _write_results(tmp_path)
    for name in ("a", "b"):
        assert _run(path, "--output", tmp_path / name).returncode == 0
    for name in ("mixers.svg", "mixers.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_pictures_may_have_another_name(tmp_path: pathlib.Path) -> None:
    outcome = _run(_write_results(tmp_path), "--output", tmp_path / "a", "--name", "films")
    assert outcome.returncode == 0, outcome.stderr
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"films.svg", "films.png"}


def test_lines_are_drawn_for_each_precision_and_number_of_threads(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "efficiency.csv"
    path.write_text(
        _HEADER
        + "additive,forward,128,fp32,1,1.5,1.4,1.7,100,200,measured\n"
        + "additive,forward,512,fp32,1,1.6,1.5,1.8,100,200,measured\n"
        + "softmax,forward,128,fp32,1,2.5,2.4,2.7,100,200,measured\n"
        + "softmax,forward,512,fp32,1,0,0,0,0,0,skipped: too slow, by far\n"
        + "additive,training,128,bf16,2,4.5,4.4,4.7,100,200,measured\n",
        encoding="utf-8",
    )
    outcome = _run(path)
    assert outcome.returncode == 0, outcome.stderr
    text = (tmp_path / "efficiency-fp32-1.svg").read_text(encoding="utf-8")
    for word in ("forward", "Fastformer", "Transformer", "fp32, 1 thread<", "512", "milliseconds"):
        assert word in text, word
    assert "additive" not in text and "longer: skipped" in text
    other = (tmp_path / "efficiency-bf16-2.svg").read_text(encoding="utf-8")
    assert "training" in other and "2 threads" in other and "Transformer" not in other
    assert _png_size(tmp_path / "efficiency-fp32-1.png")[0] > 800


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("results.json", "{}", ["results.json", "fastformer experiment"]),
        ("results.json", "{", ["plot:"]),
        ("e.csv", "mixer,length\n", ["e.csv:1", "'pass'"]),
        ("e.csv", _HEADER, ["contains no measurements"]),
        ("e.csv", _HEADER + "a,forward,long,fp32,1,1,1,1,1,1,measured\n", ["e.csv:2", "long"]),
    ],
)
def test_bad_input_gets_one_sentence(
    tmp_path: pathlib.Path, name: str, content: str, words: list[str]
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    outcome = _run(path)
    assert outcome.returncode == 1
    assert outcome.stderr.count("\n") == 1, outcome.stderr
    for word in words:
        assert word in outcome.stderr


def test_learning_curves_show_loss_and_metric(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        '{"step":50,"loss":1.2}\n{"step":100,"loss":0.8}\n'
        '{"step":100,"validation_loss":0.9,"validation_accuracy":0.625}\n', encoding="utf-8")
    outcome = _run(path, "--title", "A training on a Zen 4")
    assert outcome.returncode == 0, outcome.stderr
    text = (tmp_path / "metrics.svg").read_text(encoding="utf-8")
    for words in ("A training on a Zen 4", "training loss", "validation accuracy, %", "62.50"):
        assert words in text
    path.write_text('{"step":50,"loss":1.2}\n{"loss":1}\n', encoding="utf-8")
    outcome = _run(path)
    assert outcome.returncode == 1 and "metrics.jsonl:2: expected a record" in outcome.stderr
    path.write_text('{"step":50,\n', encoding="utf-8")
    outcome = _run(path)
    assert outcome.returncode == 1 and "metrics.jsonl:1: is no JSON" in outcome.stderr


def test_a_missing_file_gets_one_sentence(tmp_path: pathlib.Path) -> None:
    outcome = _run(tmp_path / "none.json")
    assert outcome.returncode == 1
    assert "none.json" in outcome.stderr


def test_titles_and_data_sets_are_chosen(tmp_path: pathlib.Path) -> None:
    path = _write_results(tmp_path)
    outcome = _run(path, "--data", "books", "--title", "Mixers on a Zen 4")
    assert outcome.returncode == 0, outcome.stderr
    text = (tmp_path / "mixers" / "mixers.svg").read_text(encoding="utf-8")
    assert "Mixers on a Zen 4" in text and "books" in text and "films" not in text
    outcome = _run(path, "--data", "verses")
    assert outcome.returncode == 1
    assert "has no data set 'verses'; it has films, books, plays" in outcome.stderr


def test_every_picture_of_the_documentation_is_drawn(tmp_path: pathlib.Path) -> None:
    outcome = _run("--all", "--output", tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    images = _SCRIPT.parents[1] / "docs" / "images"
    assert {path.name for path in tmp_path.iterdir()} == {
        path.name for path in images.iterdir() if not path.name.startswith("page-")  # scripts/page_pictures
    }
    roofline = (tmp_path / "roofline.svg").read_text(encoding="utf-8")
    assert "product by MKL (63 %)" in roofline and "Zen 4" in roofline
