"""Programs that a benchmark runs, and the machine on which it runs them."""

from __future__ import annotations

import os
import pathlib
import subprocess


def measure(words: list[str], folder: pathlib.Path, **environment: str) -> tuple[float, float]:
    """Seconds of CPU of a command that runs in `folder`, and the peak of its memory in MB."""
    child = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env=os.environ | environment)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: exit code {child.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def without_linear_members(program: str) -> list[str]:
    """The option of `train`; builds from before the linear members do not know their section."""
    fields = subprocess.run([program, "fields"], capture_output=True, text=True, check=True).stdout
    return ["--set=linear.members=[]"] if "[linear]" in fields else []


def cpu_model() -> str:
    """The first model name of /proc/cpuinfo."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith("model name"))
