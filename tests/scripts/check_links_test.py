"""scripts/check_links finds broken links and corrects line numbers."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

_SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "check_links"


def _faults(root: pathlib.Path, *flags: str) -> list[str]:
    done = subprocess.run(
        [str(_SCRIPT), "--root", str(root), *flags], capture_output=True, text=True, check=False
    )
    assert (done.returncode == 1) == bool(done.stderr), done
    return done.stderr.splitlines()


@pytest.fixture(name="tree")
def _tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A checkout whose links are right."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "code.cc").write_text("// pool\nint pool();\n\nint pool() {\n", encoding="utf-8")
    (tmp_path / "README.md").write_text(
        "[tour](docs/tour.md), [paper](https://arxiv.org/abs/2108.09084)\n"
        "```\n[example](none.md)\n```\n",
        encoding="utf-8",
    )
    (tmp_path / "docs" / "tour.md").write_text(
        "[`pool() {`](../code.cc#L4) and [above](#top)\n", encoding="utf-8"
    )
    return tmp_path


def test_right_links_pass(tree: pathlib.Path) -> None:
    assert not _faults(tree)


def test_a_missing_file_is_found(tree: pathlib.Path) -> None:
    (tree / "docs" / "tour.md").unlink()
    (fault,) = _faults(tree)
    assert "README.md: [tour](docs/tour.md): the file does not exist" in fault


def test_a_line_without_the_text_is_found(tree: pathlib.Path) -> None:
    (tree / "code.cc").write_text("int other();\n", encoding="utf-8")
    (fault,) = _faults(tree)
    assert "docs/tour.md" in fault and "no line of the file contains 'pool() {'" in fault


def test_a_moved_line_is_found_and_corrected(tree: pathlib.Path) -> None:
    code = tree / "code.cc"
    code.write_text("\n" + code.read_text(encoding="utf-8"), encoding="utf-8")
    (fault,) = _faults(tree)
    assert "'pool() {' is on line 5, not 4; use --fix" in fault
    assert not _faults(tree, "--fix")
    assert "code.cc#L5" in (tree / "docs" / "tour.md").read_text(encoding="utf-8")
    assert not _faults(tree)


def test_a_named_source_file_that_does_not_exist_is_found(tree: pathlib.Path) -> None:
    source = tree / "fastformer" / "nn" / "a.h"
    source.parent.mkdir(parents=True)
    source.write_text("/// See `nn/a.h` and `nn/b.h`.\n", encoding="utf-8")
    (fault,) = _faults(tree)
    assert fault == "check_links: fastformer/nn/a.h:1: there is no file nn/b.h"
