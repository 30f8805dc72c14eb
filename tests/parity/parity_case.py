"""What a parity case is."""

from __future__ import annotations

import dataclasses

from oracle import Options

LENGTHS = (17, 0, 1, 2, 40)


@dataclasses.dataclass(frozen=True)
class Case:
    """One configuration with the number format it is stored in."""

    options: Options
    dtype: str = "F64"
    label_smoothing: float = 0.0
    lengths: tuple[int, ...] = LENGTHS
