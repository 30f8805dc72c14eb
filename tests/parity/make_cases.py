"""Writes the parity cases: configurations, inputs and the oracle's outputs, loss and gradients.

Usage: make_cases.py OUTDIR [MIXER]

OUTDIR/case_NNN/config.json holds `model`, a section of a recipe, and what else the model and its
loss need; OUTDIR/case_NNN/case.safetensors the tensors
`parameter.<name>`, `ids` [T], `offsets` [B + 1], `labels` [B], `output.logits` [B, classes],
`output.encoder` [T, d], `loss` [] and `gradient.<name>`. Expected values are always computed in
double; a case of dtype F32 starts from parameters that float32 holds exactly.
MIXER is "additive" if not given.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import pathlib
from collections.abc import Iterator

import torch
from safetensors.torch import save_file
from torch import Tensor

from mixer_oracle import build
from oracle import MIXERS, Fastformer, Options, fill_parameters, loss
from parity_case import Case
from recipe_fields import text_fields
from rival_cases import rival_cases

_DTYPES = {"F32": torch.float32, "F64": torch.float64}

AUTHORS_CODE = Options(
    logits="full", sharing=("query_value",), interaction="product", output_projection=True,
    residual=True, normalization="post", ffn_width=32, activation="gelu",
)
PAPER = Options(
    logits="per_head", sharing=("query_value", "layers"), interaction="product",
    output_projection=False, residual=False, normalization="none", ffn_width=0,
)


def _sharing_subsets() -> Iterator[tuple[str, ...]]:
    names = ("query_value", "heads", "layers")
    for count in range(len(names) + 1):
        yield from itertools.combinations(names, count)


def _presets() -> Iterator[Case]:
    for options in (AUTHORS_CODE, PAPER):
        for dtype in ("F64", "F32"):
            yield Case(options, dtype)
            yield Case(options, dtype, label_smoothing=0.1)
            yield Case(dataclasses.replace(options, bigram_buckets=64), dtype)


def _interactions() -> Iterator[Case]:
    """Every additive mixer, with the surroundings rotated so that each meets several of them."""
    combinations = itertools.product(
        ("full", "per_head"), ("product", "add", "concat"), _sharing_subsets()
    )
    for i, (logits, interaction, sharing) in enumerate(combinations):
        yield Case(
            Options(
                logits=logits, interaction=interaction, sharing=sharing,
                output_projection=i % 2 == 0, residual=i % 3 != 0,
                normalization=("pre", "post", "none")[i % 5 % 3],
                ffn_width=(0, 24, 48)[i % 7 % 3], activation=("gelu", "relu")[i // 2 % 2],
                positions=i % 4 != 3, bigram_buckets=37 if i % 5 == 4 else 0,
            ),
            label_smoothing=0.1 if i % 3 == 1 else 0.0,
            dtype="F64",
        )


def _surroundings() -> Iterator[Case]:
    """Every block around the default mixer."""
    for projection, residual, normalization, ffn_width, activation in itertools.product(
        (False, True), (False, True), ("pre", "post", "none"), (0, 24), ("gelu", "relu")
    ):
        if ffn_width == 0 and activation == "relu":
            continue
        yield Case(
            dataclasses.replace(
                AUTHORS_CODE, output_projection=projection, residual=residual,
                normalization=normalization, ffn_width=ffn_width, activation=activation,
            )
        )


def _shapes() -> Iterator[Case]:
    """Widths, heads, depths and batches at their edges."""
    for preset in (AUTHORS_CODE, PAPER):
        for width, heads in ((32, 1), (32, 32), (20, 5), (7, 1), (64, 16)):
            yield Case(dataclasses.replace(preset, width=width, heads=heads))
        for layers in (1, 3):
            yield Case(dataclasses.replace(preset, layers=layers))
        yield Case(preset, lengths=(0, 3, 0))
        yield Case(preset, lengths=(1,))
        yield Case(preset, lengths=(0,))
        yield Case(dataclasses.replace(preset, max_positions=300), lengths=(300, 5))


def _single_precision() -> Iterator[Case]:
    for interaction in ("product", "add", "concat"):
        for logits in ("full", "per_head"):
            options = dataclasses.replace(
                AUTHORS_CODE, interaction=interaction, logits=logits, sharing=("heads",),
                normalization="pre",
            )
            yield Case(options, "F32", label_smoothing=0.05)


def cases(mixer: str = "additive") -> list[Case]:
    """All cases of a mixer in the order of their numbers."""
    if mixer != "additive":
        return rival_cases(mixer)
    groups = (_presets, _interactions, _surroundings, _shapes, _single_precision)
    return [case for group in groups for case in group()]


@dataclasses.dataclass(frozen=True)
class Inputs:
    """The documents of a case and their labels."""

    documents: list[list[int]]
    labels: Tensor


def make_inputs(case: Case, seed: int) -> Inputs:
    """Random documents of the case's lengths."""
    generator = torch.Generator().manual_seed(seed + 1_000_003)
    options = case.options
    documents = [
        torch.randint(options.vocabulary_size, (n,), generator=generator).tolist()
        for n in case.lengths
    ]
    labels = torch.randint(options.classes, (len(documents),), generator=generator)
    return Inputs(documents, labels)


def make_model(case: Case, seed: int) -> Fastformer:
    """The oracle in double, its parameters rounded to what the case's format holds."""
    model = build(case.options).double()
    fill_parameters(model, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(_DTYPES[case.dtype]))
    return model


def make_tensors(case: Case, seed: int) -> dict[str, Tensor]:
    """Everything that goes into case.safetensors."""
    model, inputs = make_model(case, seed), make_inputs(case, seed)
    result = model(inputs.documents)
    value = loss(result.logits, inputs.labels, case.label_smoothing)
    value.backward()
    floats = {"output.logits": result.logits, "output.encoder": result.encoder, "loss": value}
    for name, parameter in model.named_parameters():
        floats[f"parameter.{name}"] = parameter
        gradient = parameter.grad
        floats[f"gradient.{name}"] = torch.zeros_like(parameter) if gradient is None else gradient
    dtype = _DTYPES[case.dtype]
    tensors = {name: x.detach().to(dtype).contiguous() for name, x in floats.items()}
    ids = [token for document in inputs.documents for token in document]
    tensors["ids"] = torch.tensor(ids, dtype=torch.int32)
    lengths = torch.tensor([0, *case.lengths], dtype=torch.int64)
    tensors["offsets"] = torch.cumsum(lengths, 0)
    tensors["labels"] = inputs.labels
    return tensors


def make_config(case: Case) -> dict[str, object]:
    """What goes into config.json."""
    options = case.options
    return {
        "dtype": case.dtype, "label_smoothing": case.label_smoothing,
        "vocabulary_size": options.vocabulary_size, "classes": options.classes,
        "recipe": {"model": text_fields(options)},
    }


def write_case(case: Case, seed: int, folder: pathlib.Path) -> None:
    """Writes the two files of one case."""
    folder.mkdir(parents=True, exist_ok=True)
    config = json.dumps(make_config(case), indent=2) + "\n"
    (folder / "config.json").write_text(config, encoding="utf-8")
    save_file(make_tensors(case, seed), folder / "case.safetensors")


def main() -> None:
    """Writes all cases of a mixer into the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("outdir", type=pathlib.Path)
    parser.add_argument("mixer", nargs="?", choices=MIXERS, default="additive")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for i, case in enumerate(cases(arguments.mixer)):
        write_case(case, i, arguments.outdir / f"case_{i:03d}")


if __name__ == "__main__":
    main()
