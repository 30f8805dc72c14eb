"""Writes the parity cases of the summarizer.

Usage: make_summarizer_cases.py OUTDIR

OUTDIR/case_NNN/config.json holds the options and OUTDIR/case_NNN/case.safetensors the tensors
`parameter.<name>`, `ids` [S], `offsets` [B + 1], `target_ids` [T], `target_offsets` [B + 1], `loss`
[], `gradient.<name>` and `log_probabilities` [T + B, V], row by row of all summaries. Expected
values are always computed in double; a case of dtype F32 starts from parameters that float32 holds.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from case_files import write_cases
from oracle import Options
from recipe_fields import text_fields
from summarizer_oracle import Summarizer, SummaryOptions, fill_parameters

_DTYPES = {"F32": torch.float32, "F64": torch.float64}
_SOURCE = Options(width=24, heads=4, ffn_width=32, vocabulary_size=30, layers=1)
_DOCUMENTS = (17, 0, 1, 30)
_SUMMARIES = (4, 3, 0, 7)


@dataclasses.dataclass(frozen=True)
class Case:
    """One configuration with the number format it is stored in."""

    options: SummaryOptions
    label_smoothing: float = 0.0
    dtype: str = "F64"
    documents: tuple[int, ...] = _DOCUMENTS
    summaries: tuple[int, ...] = _SUMMARIES


def _switches() -> Iterator[Case]:
    """Every switch of the summarizer with every other, for two mixers."""
    combinations = itertools.product(
        ("additive", "softmax"), (False, True), (False, True), ("pre", "post"), (0.0, 0.1)
    )
    for i, (mixer, copy, tied, normalization, smoothing) in enumerate(combinations):
        source = dataclasses.replace(
            _SOURCE, mixer=mixer, normalization=("pre", "post", "none")[i % 5 % 3],
            positions=i % 3 != 0, activation=("gelu", "relu")[i // 2 % 2],
        )
        options = SummaryOptions(
            source=source, copy=copy, tied=tied, decoder_normalization=normalization,
            target_positions=0 if i % 4 == 3 else 32, decoder_ffn_width=0 if i % 7 == 6 else 40,
        )
        yield Case(options, smoothing, "F32" if i % 4 == 1 else "F64")


def _shapes() -> Iterator[Case]:
    """Depths, heads and batches at their edges, and pairs of tokens in documents."""
    options = SummaryOptions(source=_SOURCE)
    yield Case(dataclasses.replace(options, decoder_layers=3), 0.1)
    for heads in (1, 24):
        yield Case(dataclasses.replace(options, source=dataclasses.replace(_SOURCE, heads=heads)))
    pairs = dataclasses.replace(_SOURCE, bigram_buckets=19)
    yield Case(dataclasses.replace(options, source=pairs), 0.1)
    yield Case(options, 0.1, documents=(0, 0), summaries=(0, 2))
    yield Case(options, 0.1, documents=(1,), summaries=(0,))
    yield Case(options, 0.1, "F32", documents=(60, 64), summaries=(31, 20))


def cases() -> list[Case]:
    """All cases in the order of their numbers."""
    return [*_switches(), *_shapes()]


def _texts(lengths: Sequence[int], size: int, generator: torch.Generator) -> list[list[int]]:
    return [torch.randint(size, (n,), generator=generator).tolist() for n in lengths]


def _ragged(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    ids = torch.tensor([token for text in texts for token in text], dtype=torch.int32)
    return ids, torch.cumsum(torch.tensor([0, *map(len, texts)], dtype=torch.int64), 0)


def make_model(case: Case, seed: int, kind: type[Summarizer] = Summarizer) -> Summarizer:
    """The oracle in double, its parameters rounded to what the case's format holds."""
    model = kind(case.options).double()
    fill_parameters(model, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(_DTYPES[case.dtype]))
    return model


def make_texts(case: Case, seed: int) -> tuple[list[list[int]], list[list[int]]]:
    """Random documents and summaries of the case's lengths."""
    generator = torch.Generator().manual_seed(seed + 1_000_003)
    size = case.options.source.vocabulary_size
    documents = _texts(case.documents, size, generator)
    return documents, _texts(case.summaries, size, generator)


def make_tensors(case: Case, seed: int) -> dict[str, Tensor]:
    """Everything that goes into case.safetensors."""
    dtype = _DTYPES[case.dtype]
    model = make_model(case, seed)
    documents, summaries = make_texts(case, seed)
    value = model.loss(documents, summaries, case.label_smoothing)
    value.backward()
    pairs = zip(documents, summaries)
    rows = torch.cat([model.distributions(document, summary) for document, summary in pairs])
    floats = {"loss": value, "log_probabilities": rows.log()}
    for name, parameter in model.named_parameters():
        floats[f"parameter.{name}"] = parameter
        gradient = parameter.grad
        floats[f"gradient.{name}"] = torch.zeros_like(parameter) if gradient is None else gradient
    tensors = {name: x.detach().to(dtype).contiguous() for name, x in floats.items()}
    tensors["ids"], tensors["offsets"] = _ragged(documents)
    tensors["target_ids"], tensors["target_offsets"] = _ragged(summaries)
    return tensors


def make_config(case: Case) -> dict[str, object]:
    """What goes into config.json."""
    options = case.options
    decoder = {
        "layers": options.decoder_layers, "ffn_width": options.decoder_ffn_width,
        "normalization": options.decoder_normalization, "dropout": 0.0,
        "max_positions": options.target_positions, "tied": options.tied, "copy": options.copy,
    }
    return {
        "dtype": case.dtype, "label_smoothing": case.label_smoothing,
        "vocabulary_size": options.source.vocabulary_size,
        "begin": options.begin, "end": options.end,
        "recipe": {"model": text_fields(options.source) | {"decoder": decoder}},
    }


if __name__ == "__main__":
    write_cases(__doc__.splitlines()[0], cases(), make_config, make_tensors)
