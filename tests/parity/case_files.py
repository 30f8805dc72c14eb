"""The files of parity cases: a folder per case."""

from __future__ import annotations

import argparse
import json
import pathlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor

Case = TypeVar("Case")


def write_cases(
    description: str, cases: Sequence[Case], make_config: Callable[[Case], dict[str, object]],
    make_tensors: Callable[[Case, int], dict[str, Tensor]],
) -> None:
    """Writes config.json and case.safetensors of all cases into the folder that the command line
    names; `make_tensors` also gets the number of the case."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("outdir", type=pathlib.Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for i, case in enumerate(cases):
        folder = arguments.outdir / f"case_{i:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        config = json.dumps(make_config(case), indent=2) + "\n"
        (folder / "config.json").write_text(config, encoding="utf-8")
        save_file(make_tensors(case, i), folder / "case.safetensors")
