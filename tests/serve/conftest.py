"""Tiny models of each task, trained once."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator

import pytest
from serving import Server, serving, train

_TOPICS = {"space": ["rocket orbit moon", "the orbit of a moon", "a rocket to the moon"],
           "food": ["bread and soup", "soup with fresh bread", "a recipe for bread"]}
_STORIES = ("the small ship sails over the sea in the night . the captain of the ship is old . "
            "the sea is calm and the ship is fast .")


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A classifier of two topics."""
    folder = tmp_path_factory.mktemp("classifier")
    rows = [f"{label},{text} {i}\n" for label, texts in _TOPICS.items() for text in texts for i in range(20)]
    (folder / "rows.csv").write_text("label,text\n" + "".join(rows), encoding="utf-8")
    return train(folder, "topics", """
        [data]
        train = ["rows.csv"]
        text_columns = ["text"]
        label_column = "label"
        [model]
        width = 16
        heads = 2
        layers = 2
        ffn_width = 16
        bigram_buckets = 64
        [train]
        epochs = 3
        threads = 1
    """)


@pytest.fixture(scope="session")
def recommender(tmp_path_factory: pytest.TempPathFactory) -> tuple[pathlib.Path, pathlib.Path]:
    """A recommender of packages, and the file of its items."""
    folder = tmp_path_factory.mktemp("recommender")
    index = "".join(
        f"Package: {kind}{i}\nSection: x\nDepends: {kind}{(i + 1) % 20}, {kind}{(i + 3) % 20}\n"
        f"Description: {kind} tool number {i}\n\n" for kind in ("red", "blue") for i in range(20))
    (folder / "packages.txt").write_text(index, encoding="utf-8")
    model = train(folder, "packages", """
        task.name = "recommendation"
        [data]
        format = "debian"
        train = ["packages.txt"]
        [text]
        minimum_count = 1
        [model]
        model = "fastformer"
        width = 16
        heads = 2
        query_width = 16
        ffn_width = 0
        [train]
        epochs = 2
        threads = 1
    """)
    return model, folder / "packages.txt"


@pytest.fixture(scope="session")
def summarizer(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A summarizer that has learned little."""
    folder = tmp_path_factory.mktemp("summarizer")
    rows = [json.dumps({"text": f"{_STORIES} {i}", "short": "the ship sails over the sea"}) for i in range(64)]
    (folder / "pairs.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return train(folder, "stories", """
        task.name = "summarization"
        [data]
        format = "jsonl"
        train = ["pairs.jsonl"]
        source_field = "text"
        target_field = "short"
        validation_fraction = 0.1
        [text]
        minimum_count = 1
        [model]
        width = 16
        heads = 2
        layers = 1
        ffn_width = 16
        bigram_buckets = 0
        [model.decoder]
        layers = 1
        ffn_width = 16
        [train]
        epochs = 10
        batch_size = 8
        learning_rate = 1e-2
        threads = 1
    """)


@pytest.fixture(scope="session")
def extractive(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A summarizer that chooses sentences."""
    folder = tmp_path_factory.mktemp("extractive")
    rows = [json.dumps({"text": f"{_STORIES} {i}", "short": "the sea is calm"}) for i in range(64)]
    (folder / "pairs.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return train(folder, "extracts", """
        task.name = "summarization"
        [data]
        train = ["pairs.jsonl"]
        source_field = "text"
        target_field = "short"
        validation_fraction = 0.1
        [text]
        minimum_count = 1
        [model]
        kind = "extractive"
        width = 16
        heads = 2
        layers = 1
        ffn_width = 16
        [train]
        epochs = 2
        batch_size = 8
        threads = 1
    """)


@pytest.fixture(scope="module")
def server(classifier: pathlib.Path) -> Iterator[Server]:
    """One server for the tests that leave it as it is."""
    with serving(classifier) as running:
        yield running
