"""Recipes name packages by a path that does not depend on the version of Python."""

from __future__ import annotations

import pathlib
import re

_ROOT = pathlib.Path(__file__).parents[2]
_WEIGHTS = ".venv/minilm"


def _recipes() -> list[tuple[pathlib.Path, str]]:
    paths = sorted((_ROOT / "recipes").rglob("*.toml"))
    return [(path, path.read_text(encoding="utf-8")) for path in paths]


def test_no_recipe_names_a_version_of_python() -> None:
    """Another Python installs its packages in another folder."""
    for path, text in _recipes():
        assert "python3." not in text, path


def test_pretrained_weights_have_one_path() -> None:
    """The one that scripts/setup makes."""
    named = [name for _, text in _recipes() for name in re.findall(r"\.venv[^\"\s]*", text)]
    assert named
    assert set(named) <= {_WEIGHTS, f"{_WEIGHTS}/vocab.txt"}
    assert f" {_WEIGHTS}\n" in (_ROOT / "scripts" / "setup").read_text(encoding="utf-8")
