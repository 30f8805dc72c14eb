"""What tests of known mistakes share: a mistaken model, and how far it is from the right one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch

import make_cases
import oracle

VISIBLE = 1e-3  # a mistake must move some number by more


@dataclasses.dataclass(frozen=True)
class Variant:
    """A mistake: how to build the model that makes it, and which cases can show it."""

    name: str
    build: Callable[[oracle.Options], oracle.Fastformer]
    shows: Callable[[oracle.Options], bool]


def anywhere(options: oracle.Options) -> bool:
    """Every case can show the mistake."""
    del options
    return True


def difference(case: make_cases.Case, seed: int, variant: Variant) -> float:
    """The largest change of logits or encoder rows that the mistake makes."""
    right = make_cases.make_model(case, seed)
    wrong = variant.build(case.options).double()
    # A variant may lack layers that the case has, but must not invent any of its own.
    missing = wrong.load_state_dict(right.state_dict(), strict=False).missing_keys
    assert not missing, f"{variant.name} has parameters that the case does not: {missing}"
    documents = make_cases.make_inputs(case, seed).documents
    with torch.no_grad():
        expected, actual = right(documents), wrong(documents)
    logits = (expected.logits - actual.logits).abs().max()
    return max(logits.item(), (expected.encoder - actual.encoder).abs().max().item())
