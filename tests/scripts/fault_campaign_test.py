"""scripts/fault_campaign finds results that a fault changed, and files that it left."""

from __future__ import annotations

import pathlib
import subprocess

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_PROGRAM = _ROOT / "build" / "release" / "bin" / "fastformer"
# The program, but for what it does to killed runs each time that it has finished one.
_WRAPPER = """#!/usr/bin/env bash
"{program}" "$@" || exit
[[ "$*" == *killed_evaluation* ]] || exit 0
{harm}
"""


def _campaign(folder: pathlib.Path, harm: str) -> subprocess.CompletedProcess[str]:
    if not _PROGRAM.exists():
        pytest.skip("the program is not built")
    wrapper = folder / "fastformer"
    wrapper.write_text(_WRAPPER.format(program=_PROGRAM, harm=harm), encoding="utf-8")
    wrapper.chmod(0o755)
    return subprocess.run(
        [str(_ROOT / "scripts" / "fault_campaign"), "--program", str(wrapper), "--kills", "1",
         "--disk-full", "0", "--only", "evaluation"],
        capture_output=True, text=True, check=False, env={"TMPDIR": str(folder), "PATH": "/bin:/usr/bin"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        ("echo x >> killed_evaluation/errors.csv", "is another than undisturbed"),
        ("touch killed_evaluation/errors.csv.tmp.0123456789ab", "was left behind"),
        ('touch "$TMPDIR/tokens"', "was left behind"),
        ("rm -f killed_evaluation/model.old/backup", "a file of the user, was changed"),
        ("exit 3", "cannot be finished, exit code 3"),
    ],
)
def test_a_harm_is_found(tmp_path: pathlib.Path, harm: str, found: str) -> None:
    done = _campaign(tmp_path, harm)
    assert done.returncode == 1, done
    assert found in done.stderr


def test_without_harm_nothing_is_found(tmp_path: pathlib.Path) -> None:
    done = _campaign(tmp_path, "")
    assert done.returncode == 0, done
    assert "1 kills" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["fastformer"]
