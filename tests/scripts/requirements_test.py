"""The packages that scripts/setup installs are pinned with the checksums of all their files."""

from __future__ import annotations

import pathlib
import re

import pytest

_FOLDER = pathlib.Path(__file__).parents[2] / "requirements"
_LOCKS = ("torch", "torch-cpu", "cuda", "test", "plots", "weights")


def _packages(name: str) -> list[str]:
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines))


@pytest.mark.parametrize("name", _LOCKS)
def test_every_package_is_pinned_with_checksums(name: str) -> None:
    """Otherwise pip refuses all of them with --require-hashes."""
    packages = _packages(name)
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9-]+==[0-9][^ ]*( ; [^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+$",
                        package), package  # fmt: skip


@pytest.mark.parametrize("name", ["torch", "test", "plots", "weights"])
def test_what_is_asked_for_is_what_is_pinned(name: str) -> None:
    """A changed .in needs scripts/lock_requirements."""
    wanted = (_FOLDER / f"{name}.in").read_text(encoding="utf-8").splitlines()
    pinned = [re.split(r" [\\;]", package)[0] for package in _packages(name)]
    for line in wanted:
        if line and not line.startswith("#"):
            assert line in pinned


def test_no_file_names_an_index() -> None:
    """Which index serves the files is the business of the machine; the checksums decide."""
    for path in _FOLDER.iterdir():
        assert not re.search(r"https?:|--(extra-)?index-url|--find-links",
                             path.read_text(encoding="utf-8")), path  # fmt: skip
