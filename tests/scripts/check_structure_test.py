"""scripts/check_structure finds what it says that it finds."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_CMAKE = """
fastformer_module(base DEPENDS nlohmann_json::nlohmann_json)
fastformer_module(classification TORCH DEPENDS fastformer::base)
fastformer_module(tasks DEPENDS fastformer::classification)
"""


def _faults(root: pathlib.Path) -> list[str]:
    done = subprocess.run(
        [str(_ROOT / "scripts" / "check_structure"), "--root", str(root)],
        capture_output=True, text=True, check=False,
    )
    assert (done.returncode == 1) == bool(done.stderr), done
    return done.stderr.splitlines()


@pytest.fixture(name="tree")
def _tree(tmp_path: pathlib.Path) -> pathlib.Path:
    """A checkout without a fault."""
    (tmp_path / "CMakeLists.txt").write_text(_CMAKE, encoding="utf-8")
    _write(tmp_path, "base/a.h", "#include <string>\n")
    _write(tmp_path, "classification/classifier.h", "#include <string>\n")
    _write(tmp_path, "classification/b.cc", '#include "fastformer/base/a.h"\n"classification"\n')
    _write(tmp_path, "tasks/c.h", '#include "fastformer/base/a.h"\nif (x == "classifier") {}\n')
    return tmp_path


def _write(root: pathlib.Path, name: str, text: str) -> None:
    path = root / "fastformer" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_this_checkout_has_no_fault() -> None:
    assert not _faults(_ROOT)


def test_a_sound_tree_has_no_fault(tree: pathlib.Path) -> None:
    assert not _faults(tree)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("base/d.cc", '#include "fastformer/tasks/c.h"\n', "d.cc:1: base includes a header of tasks"),
        ("base/d.cc", '\n#include <fastformer/classification/b.h>\n', "d.cc:2: base includes"),
        ("other/d.cc", "", "other is not a module"),
        ("base/d.cc", "\n" * 401, "has 401 lines"),
        ("base/test_items.h", "", "begins with test_"),
        ("base/d.cc", 'return name == "classifier";\n', 'd.cc:1: names "classifier"'),
        ("classification/d.cc", 'a("summarization");\n', 'd.cc:1: names "summarization"'),
    ],
)
def test_a_fault_is_found(tree: pathlib.Path, name: str, text: str, words: str) -> None:
    _write(tree, name, text)
    faults = _faults(tree)
    assert len(faults) == 1
    assert words in faults[0]


def test_a_facade_that_reaches_libtorch_is_a_fault(tree: pathlib.Path) -> None:
    _write(tree, "base/a.h", '#include "fastformer/base/e.h"\n')
    _write(tree, "base/e.h", "#include <fastformer/base/a.h>\n#include<c10/util/Exception.h>\n")
    facade = "classification/classifier.h"
    _write(tree, facade, "#include <fastformer/base/a.h>\n")
    fault, = _faults(tree)
    assert "base/e.h, which classifier.h includes: includes c10/util/Exception.h" in fault
    _write(tree, facade, "#include <torch/torch.h>\n")
    fault, = _faults(tree)
    assert f"{facade}: includes torch/torch.h of LibTorch" in fault
    (tree / "fastformer" / facade).unlink()
    fault, = _faults(tree)
    assert f"{facade}: is missing" in fault


def test_a_name_in_a_comment_is_no_fault(tree: pathlib.Path) -> None:
    _write(tree, "base/d.h", '// such as "classifier"\n')
    assert not _faults(tree)


def test_a_folder_of_many_pairs_is_a_fault(tree: pathlib.Path) -> None:
    for i in range(26):
        _write(tree, f"base/file_{i}.cc", "")
    assert any("has 27 pairs" in fault for fault in _faults(tree))


def test_an_order_with_a_cycle_is_refused(tree: pathlib.Path) -> None:
    text = _CMAKE.replace("base DEPENDS", "base DEPENDS fastformer::tasks")
    (tree / "CMakeLists.txt").write_text(text, encoding="utf-8")
    assert "come later" in _faults(tree)[0]
