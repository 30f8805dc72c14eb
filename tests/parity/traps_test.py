"""The mistakes that ports of Fastformer make, each shown to be visible in the parity cases.

A parity check is only worth what it catches: every mistaken variant here must move the encoder's
rows or the class logits of some case by more than 1e-3.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import sys
from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import make_cases  # noqa: E402
import oracle  # noqa: E402
from mistakes import VISIBLE, Variant, anywhere, difference  # noqa: E402

_MASKED = -10000.0
_PADDING_ID = 0


class PoolsRawKeys(oracle.Attention):
    """Pools K with the weights of q * K, as several ports do."""

    def global_key(self, key: Tensor, mixed: Tensor) -> Tensor:
        return self.pool(key, self.head_logits(mixed, self.key_logits))


class SoftmaxOverHeads(oracle.Attention):
    """Weights sum to one over the heads instead of over the tokens."""

    def token_weights(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, dim=1)


class NoQueryResidual(oracle.Attention):
    """Y = R."""

    def finish(self, transformed: Tensor, query: Tensor) -> Tensor:
        return transformed


class UnscaledLogits(oracle.Attention):
    """Logits without the 1 / sqrt(e)."""

    def scale(self) -> float:
        return 1.0


class ScaledByWidth(oracle.Attention):
    """Logits divided by sqrt(d) instead of sqrt(e)."""

    def scale(self) -> float:
        return self.options.width**-0.5


class ValueFromKey(oracle.Attention):
    """V = K where query and value are shared."""

    def values(self, query: Tensor, key: Tensor, x: Tensor) -> Tensor:
        return key


class ValueAlwaysShared(oracle.Attention):
    """V = Q although the model has a value projection of its own."""

    def values(self, query: Tensor, key: Tensor, x: Tensor) -> Tensor:
        return query


class OwnColumnsOnly(oracle.Attention):
    """Reads full-width logit vectors head by head, as the paper's form does."""

    def head_logits(self, rows: Tensor, vectors: torch.nn.Linear) -> Tensor:
        weight = vectors.weight.view(self.options.heads, self.options.heads, -1)
        own = torch.diagonal(weight, dim1=0, dim2=1).T
        return ((self.split(rows) * own).sum(-1) + vectors.bias) * self.scale()


class NoKeyInteraction(oracle.Attention):
    """The key's interaction with the global query is left out."""

    def combine(self, vector: Tensor, rows: Tensor, layer: str) -> Tensor:
        return rows if layer == "key_interaction" else super().combine(vector, rows, layer)


class _Padded(oracle.Fastformer):
    """Pads every document to the longest one; `bias` says what padded logits are."""

    def bias(self, real: int, total: int) -> Tensor:
        """[total, 1]: added to the logits of all tokens before each softmax."""
        raise NotImplementedError

    def forward(self, documents: Sequence[Sequence[int]]) -> oracle.Result:
        longest = max(len(ids) for ids in documents)
        rows, pooled = [], []
        modules = [layer.attention for layer in self.encoder.layers] + [self.pooling]
        for ids in documents:
            bias = self.bias(len(ids), longest)
            for module in modules:
                module.token_weights = functools.partial(_biased_softmax, bias)
            x = self.encode(list(ids) + [_PADDING_ID] * (longest - len(ids)))
            rows.append(x[: len(ids)])
            pooled.append(self.pooling(x) if ids else x.new_zeros(x.shape[1]))
        return oracle.Result(self.classifier(torch.stack(pooled)), torch.cat(rows))


def _biased_softmax(bias: Tensor, logits: Tensor) -> Tensor:
    return torch.softmax(logits + bias, dim=0)


class MaskedPadding(_Padded):
    """Padding done right: the control that shows padding itself changes nothing."""

    def bias(self, real: int, total: int) -> Tensor:
        return _MASKED * (torch.arange(total) >= real).double()[:, None]


class IgnoredMask(_Padded):
    """Padding takes part in every softmax."""

    def bias(self, real: int, total: int) -> Tensor:
        return torch.zeros(total, 1, dtype=torch.float64)


class InvertedMask(_Padded):
    """Padding is kept and the words are masked."""

    def bias(self, real: int, total: int) -> Tensor:
        return _MASKED * (torch.arange(total) < real).double()[:, None]


class MaskedAttentionOnly(MaskedPadding):
    """The mask reaches the attention but not the pooling over the document."""

    def forward(self, documents: Sequence[Sequence[int]]) -> oracle.Result:
        self.pooling.forward = functools.partial(_unmasked_pooling, self.pooling)
        return super().forward(documents)


def _unmasked_pooling(pooling: oracle.Pooling, x: Tensor) -> Tensor:
    weights = torch.softmax(pooling.logits(torch.tanh(pooling.projection(x))), dim=0)
    return (weights * x).sum(0)


class FirstLayerOnly(oracle.Fastformer):
    """Shares the layers of a model whose layers are its own."""

    def encode(self, ids: Sequence[int]) -> Tensor:
        stored = list(self.encoder.layers)
        for i in range(1, len(stored)):
            self.encoder.layers[i] = stored[0]
        x = super().encode(ids)
        for i in range(1, len(stored)):
            self.encoder.layers[i] = stored[i]
        return x


class SignedBigramShift(oracle.Fastformer):
    """The hash's right shift keeps the sign, and the remainder is taken of its magnitude."""

    def __init__(self, options: oracle.Options) -> None:
        super().__init__(options)
        self.embedding.bucket = self._bucket

    def _bucket(self, previous: int, current: int) -> int:
        mixed = oracle.bigram_bucket(previous, current, 1 << 32)
        signed = mixed - (1 << 32) if mixed >> 31 else mixed
        return abs(signed) % self.options.bigram_buckets


def _with_attention(attention: type[oracle.Attention]) -> Callable[..., oracle.Fastformer]:
    return functools.partial(oracle.Fastformer, attention_type=attention)


def _changed(**changes: object) -> Callable[[oracle.Options], oracle.Fastformer]:
    return lambda options: oracle.Fastformer(dataclasses.replace(options, **changes))


def _authors(options: oracle.Options) -> bool:
    return options == make_cases.AUTHORS_CODE


def _paper(options: oracle.Options) -> bool:
    return options == make_cases.PAPER


def _shared_value(options: oracle.Options) -> bool:
    return "query_value" in options.sharing


def _own_value(options: oracle.Options) -> bool:
    return "query_value" not in options.sharing


def _full_logits(options: oracle.Options) -> bool:
    return options.logits == "full" and "heads" not in options.sharing and options.heads > 1


def _own_layers(options: oracle.Options) -> bool:
    return "layers" not in options.sharing and options.layers > 1


def mistaken_variants() -> list[Variant]:
    """Every mistake; on all cases that can show it the variant takes the case's own parameters."""
    return [
        Variant("pools_raw_keys", _with_attention(PoolsRawKeys), anywhere),
        Variant("softmax_over_heads", _with_attention(SoftmaxOverHeads), anywhere),
        Variant("mask_ignored", IgnoredMask, anywhere),
        Variant("mask_inverted", InvertedMask, anywhere),
        Variant("mask_missing_in_pooling", MaskedAttentionOnly, anywhere),
        Variant("no_query_residual", _with_attention(NoQueryResidual), anywhere),
        Variant("unscaled_logits", _with_attention(UnscaledLogits), lambda o: o.heads < o.width),
        Variant("scaled_by_width", _with_attention(ScaledByWidth), lambda o: o.heads > 1),
        Variant("no_key_interaction", _with_attention(NoKeyInteraction), anywhere),
        Variant("value_from_key", _with_attention(ValueFromKey), _shared_value),
        Variant("value_always_shared", _with_attention(ValueAlwaysShared), _own_value),
        Variant("full_logits_read_per_head", _with_attention(OwnColumnsOnly), _full_logits),
        Variant("layers_shared_by_mistake", FirstLayerOnly, _own_layers),
        Variant("layers_applied_once", _changed(layers=1), _paper),
        Variant("no_output_projection", _changed(output_projection=False), _authors),
        Variant("no_residual", _changed(residual=False), _authors),
        Variant("no_feed_forward", _changed(ffn_width=0), _authors),
        Variant("no_normalization", _changed(normalization="none"), _authors),
        Variant("no_positions", _changed(positions=False), lambda o: o.positions),
        Variant("addition_for_product", _changed(interaction="add"), _paper),
        Variant("relu_for_gelu", _changed(activation="relu"), _authors),
        Variant("signed_bigram_shift", SignedBigramShift, lambda o: o.bigram_buckets > 0),
    ]


@functools.cache
def _cases() -> tuple[tuple[int, make_cases.Case], ...]:
    """The numbered cases in double with documents long enough to be told apart."""
    numbered = enumerate(make_cases.cases())
    return tuple((i, case) for i, case in numbered if case.dtype == "F64" and len(case.lengths) > 3)


@pytest.mark.parametrize("variant", mistaken_variants(), ids=lambda variant: variant.name)
def test_mistake_shows_in_a_case(variant: Variant) -> None:
    cases = [(i, case) for i, case in _cases() if variant.shows(case.options)][:4]
    assert cases, f"no parity case can show {variant.name}"
    for seed, case in cases:
        assert difference(case, seed, variant) > VISIBLE, f"case_{seed:03d}"


@pytest.mark.parametrize("preset", (make_cases.AUTHORS_CODE, make_cases.PAPER))
def test_masked_padding_changes_nothing(preset: oracle.Options) -> None:
    case = make_cases.Case(preset)
    assert difference(case, 7, Variant("masked", MaskedPadding, anywhere)) < 1e-10


def test_raw_exponential_overflows_where_the_oracle_does_not() -> None:
    pooling = oracle.Pooling(4)
    logits = torch.tensor([[1e4], [9e3], [-1e4]])
    raw = torch.exp(logits) / torch.exp(logits).sum(0)
    assert not torch.isfinite(raw).all()
    assert torch.equal(pooling.token_weights(logits), torch.tensor([[1.0], [0.0], [0.0]]))


def test_empty_document_scores_the_classifier_bias() -> None:
    model = make_cases.make_model(make_cases.Case(make_cases.AUTHORS_CODE), 3)
    assert torch.equal(model([[]]).logits[0], model.classifier.bias)


def test_document_does_not_depend_on_its_batch() -> None:
    model = make_cases.make_model(make_cases.Case(make_cases.PAPER), 3)
    alone, together = model([[4, 8, 15]]), model([[16], [4, 8, 15], []])
    assert torch.allclose(alone.logits[0], together.logits[1], atol=1e-12)


def test_gradients_agree_with_central_differences() -> None:
    options = dataclasses.replace(make_cases.AUTHORS_CODE, width=8, heads=2, ffn_width=8)
    case = make_cases.Case(options, lengths=(4, 0, 1))
    model, inputs = make_cases.make_model(case, 11), make_cases.make_inputs(case, 11)
    oracle.loss(model(inputs.documents).logits, inputs.labels).backward()
    step = 1e-5
    for name, parameter in model.named_parameters():
        flat, slope = parameter.data.view(-1), parameter.grad.view(-1)
        position = int(slope.abs().argmax())
        values = []
        for sign in (1, -1):
            flat[position] += sign * step
            with torch.no_grad():
                values.append(oracle.loss(model(inputs.documents).logits, inputs.labels).item())
            flat[position] -= sign * step
        numeric = (values[0] - values[1]) / (2 * step)
        assert numeric == pytest.approx(slope[position].item(), rel=1e-5, abs=1e-8), name


@pytest.mark.parametrize(
    "changes", ({"logits": "half"}, {"sharing": ("keys",)}, {"width": 10, "heads": 3})
)
def test_bad_options_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        oracle.Options(**changes)
