"""Writes the parity cases of the extractive summarizer.

Usage: make_extractive_cases.py OUTDIR

OUTDIR/case_NNN/config.json holds the options and OUTDIR/case_NNN/case.safetensors the tensors
`parameter.<name>`, `ids` [T], `offsets` [B + 1] (documents in tokens), `tokens` [S + 1] (sentences
in tokens), `sentences` [B + 1] (documents in sentences), `kinds` [S], `oracle` [S], `gain` [S],
`loss` [], `logits` [S] and `gradient.<name>`. Expected values are always computed in double; a case
of dtype F32 starts from parameters that float32 holds.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from case_files import write_cases
from extractive_oracle import KINDS, Document, ExtractiveOptions, Extractor, fill_parameters
from oracle import Options
from recipe_fields import text_fields

_DTYPES = {"F32": torch.float32, "F64": torch.float64}
_SOURCE = Options(width=24, heads=4, ffn_width=32, vocabulary_size=30, layers=1)
_DOCUMENTS = ((5, 3, 7, 1), (), (1,), (4, 9, 2, 6, 8, 3))
_GAIN_STEPS = 1024


@dataclasses.dataclass(frozen=True)
class Case:
    """One configuration with the number format it is stored in."""

    options: ExtractiveOptions
    soft_targets: float = 0.0
    dtype: str = "F64"
    documents: tuple[tuple[int, ...], ...] = _DOCUMENTS  # the tokens of each sentence
    distinct: int = _SOURCE.vocabulary_size  # how many token ids may occur
    without_gain: tuple[int, ...] = ()  # documents all of whose gains are 0


def _switches() -> Iterator[Case]:
    """Every switch of the extractive summarizer with every other, for two mixers."""
    combinations = itertools.product(
        enumerate(("additive", "softmax")), enumerate(("pre", "post", "none")), (0, 1), (0, 1)
    )
    for i, ((a, mixer), (b, normalization), c, d) in enumerate(combinations):
        source = dataclasses.replace(
            _SOURCE, mixer=mixer, normalization=normalization, positions=c == 0,
            bigram_buckets=19 * d, activation=("gelu", "relu")[(a + b) % 2],
            ffn_width=0 if i % 7 == 6 else 32, layers=2 if i % 5 == 4 else 1,
        )
        options = ExtractiveOptions(source, sentence_layers=1 + (a + c + d) % 2)
        dtype = "F32" if (a + b + d) % 3 == 1 else "F64"
        yield Case(options, (0.0, 0.4, 1.0)[(b + c + 2 * d) % 3], dtype)


def _batches() -> Iterator[Case]:
    """Documents at their edges."""
    options = ExtractiveOptions(_SOURCE)
    pairs = ExtractiveOptions(dataclasses.replace(_SOURCE, bigram_buckets=19), sentence_layers=2)
    long = ExtractiveOptions(dataclasses.replace(_SOURCE, max_positions=160))
    softmax = ExtractiveOptions(dataclasses.replace(long.source, mixer="softmax"))
    short_sentences = tuple(1 + i % 3 for i in range(70))
    yield Case(pairs, 0.4, documents=((), (3, 2), (), (1,), ()))
    yield Case(options, 1.0, documents=((1,),))
    yield Case(long, 0.4, documents=(short_sentences, (2, 1)))
    yield Case(softmax, 0.4, "F32", documents=((1, 2), short_sentences))
    yield Case(pairs, 0.4, documents=((25, 15), (1, 3)), distinct=1)
    yield Case(options, 0.4, "F32", documents=((60,), (2, 60, 1)))
    for soft_targets in (0.4, 1.0):
        yield Case(options, soft_targets, without_gain=(0, 2))
    # All of the last places, lengths and repetitions, also those beyond the last.
    endless = ExtractiveOptions(dataclasses.replace(_SOURCE, positions=False))
    yield Case(endless, 0.4, documents=((1100, *(1,) * 4200), (3, 2)), distinct=2)


def _encoders() -> Iterator[Case]:
    """Depths, heads and sharing, which the encoder of sentences has too, and another mixer."""
    for heads in (1, 24):
        yield Case(ExtractiveOptions(dataclasses.replace(_SOURCE, heads=heads)), 0.4)
    shared = dataclasses.replace(
        _SOURCE, layers=2, sharing=("query_value", "heads", "layers"), residual=False
    )
    yield Case(ExtractiveOptions(shared, sentence_layers=3), 0.4)
    window = dataclasses.replace(_SOURCE, mixer="sliding_window", window=4, global_tokens=1)
    yield Case(ExtractiveOptions(window, sentence_layers=2), 0.4)


def cases() -> list[Case]:
    """All cases in the order of their numbers."""
    return [*_switches(), *_batches(), *_encoders()]


def make_model(case: Case, seed: int, kind: type[Extractor] = Extractor) -> Extractor:
    """The oracle in double, its parameters rounded to what the case's format holds."""
    model = kind(case.options).double()
    fill_parameters(model, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(_DTYPES[case.dtype]))
    return model


def make_documents(case: Case, seed: int) -> list[Document]:
    """Random documents of the case's lengths; float32 holds their gains."""
    generator = torch.Generator().manual_seed(seed + 1_000_003)

    def draw(end: int, count: int) -> tuple[int, ...]:
        return tuple(torch.randint(end, (count,), generator=generator).tolist())

    documents = []
    for i, lengths in enumerate(case.documents):
        n = len(lengths)
        steps = draw(_GAIN_STEPS + 1, n)
        documents.append(Document(
            sentences=tuple(draw(case.distinct, m) for m in lengths),
            kinds=draw(len(KINDS), n), oracle=draw(2, n),
            gain=tuple(0.0 if i in case.without_gain else s / _GAIN_STEPS for s in steps),
        ))
    return documents


def _ends(lengths: Iterable[int]) -> Tensor:
    return torch.cumsum(torch.tensor([0, *lengths], dtype=torch.int64), 0)


def _inputs(documents: list[Document], dtype: torch.dtype) -> dict[str, Tensor]:
    sentences = [sentence for document in documents for sentence in document.sentences]

    def joined(name: str, dtype: torch.dtype) -> Tensor:
        values = [value for document in documents for value in getattr(document, name)]
        return torch.tensor(values, dtype=dtype)

    return {
        "ids": torch.tensor([token for s in sentences for token in s], dtype=torch.int32),
        "offsets": _ends(len(document.tokens()) for document in documents),
        "tokens": _ends(len(sentence) for sentence in sentences),
        "sentences": _ends(len(document.sentences) for document in documents),
        "kinds": joined("kinds", torch.int32),
        "oracle": joined("oracle", dtype), "gain": joined("gain", dtype),
    }


def make_tensors(case: Case, seed: int) -> dict[str, Tensor]:
    """Everything that goes into case.safetensors."""
    dtype = _DTYPES[case.dtype]
    model = make_model(case, seed)
    documents = make_documents(case, seed)
    value = model.loss(documents, case.soft_targets)
    value.backward()
    with torch.no_grad():
        floats = {"loss": value, "logits": torch.cat(model(documents))}
    for name, parameter in model.named_parameters():
        floats[f"parameter.{name}"] = parameter
        gradient = parameter.grad
        floats[f"gradient.{name}"] = torch.zeros_like(parameter) if gradient is None else gradient
    tensors = {name: x.detach().to(dtype).contiguous() for name, x in floats.items()}
    return tensors | _inputs(documents, dtype)


def make_config(case: Case) -> dict[str, object]:
    """What goes into config.json."""
    sentences = {"layers": case.options.sentence_layers, "token_dropout": 0.0}
    model = {"kind": "extractive"} | text_fields(case.options.source) | {"sentences": sentences}
    return {
        "dtype": case.dtype, "soft_targets": case.soft_targets,
        "vocabulary_size": case.options.source.vocabulary_size,
        "recipe": {"model": model},
    }


if __name__ == "__main__":
    write_cases(__doc__.splitlines()[0], cases(), make_config, make_tensors)
