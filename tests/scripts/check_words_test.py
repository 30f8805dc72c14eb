"""scripts/check_words finds the words of the glossary, and passes others."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

_SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "check_words"


def _faults(root: pathlib.Path) -> list[str]:
    done = subprocess.run(
        [str(_SCRIPT), "--root", str(root)], capture_output=True, text=True, check=False
    )
    assert (done.returncode == 1) == bool(done.stderr), done
    return done.stderr.splitlines()


def _write(root: pathlib.Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        "Each clicked news, as a vector", "The observer is told of it.", "A run goes on with it.",
        "MIND is not at hand.", "It is twice as dear.", "A table is worth it.", "12 ms a layer",
        "Titles that lost their tail", "It leaves the row out.", "whoever asks", "no field heeds it",
    ],
)  # fmt: skip
def test_words_of_the_glossary_are_found(tmp_path: pathlib.Path, words: str) -> None:
    _write(tmp_path, "docs/page.md", f"# Page\n\n{words}\n")
    (fault,) = _faults(tmp_path)
    assert fault.startswith("check_words: docs/page.md:3: '")


def test_comments_and_messages_are_read(tmp_path: pathlib.Path) -> None:
    _write(
        tmp_path,
        "fastformer/nn/a.h",
        "/// Of the test part nothing is\n/// told.\nint at = hand;\n"
        'fail("the file is not at "\n     "hand");\n',
    )
    _write(tmp_path, "recipes/a.toml", "# goes on with it\nname = 'at hand'\n")
    assert [fault.split("; ")[0] for fault in _faults(tmp_path)] == [
        "check_words: fastformer/nn/a.h:1: 'is told'",
        "check_words: fastformer/nn/a.h:4: 'at hand'",
        "check_words: recipes/a.toml:1: 'goes on with'",
    ]


def test_other_words_pass(tmp_path: pathlib.Path) -> None:
    _write(
        tmp_path,
        "README.md",
        "AG News, news.tsv and `--news`; a news article. On the one hand, the run goes on.\n"
        "It adds a token to each row, and 12 ms per layer.\n```\nnot at hand\n```\n",
    )
    _write(tmp_path, "fastformer/nn/a.cc", "bool is, told;  // reports it\n")
    assert not _faults(tmp_path)
