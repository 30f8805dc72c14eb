"""The oracle of the rival mixers against other people's code and against other formulas."""

from __future__ import annotations

import math
import pathlib
import sys

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from transformers import BigBirdConfig, LongformerConfig
from transformers.models.big_bird import modeling_big_bird
from transformers.models.longformer.modeling_longformer import LongformerSelfAttention

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import make_cases  # noqa: E402
import mixer_oracle  # noqa: E402
from oracle import MIXERS, Options, fill_parameters  # noqa: E402

_KINDS = ("none", "heads", "key_value", "layers")
torch.set_num_threads(1)


def _mixer(kind: str, **fields: object) -> mixer_oracle.Mixer:
    """One mixer in double, with the parameters that the parity cases give it."""
    fields = {"width": 16, "heads": 4, "output_projection": False} | fields
    model = mixer_oracle.build(Options(mixer=kind, **fields)).double()
    fill_parameters(model, 5)
    return model.encoder.layers[0].attention


def _like(mixer: mixer_oracle.Mixer, kind: str, **fields: object) -> mixer_oracle.Mixer:
    """Another mixer, with the parameters of the same names."""
    other = _mixer(kind, **fields)
    other.load_state_dict(mixer.state_dict(), strict=False)
    return other


def _rows(n: int, width: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(n)
    return torch.randn(n, width, generator=generator, dtype=torch.float64)


def _assert_equal(actual: Tensor, expected: Tensor, tolerance: float = 1e-12) -> None:
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max().item() < tolerance


def _scaled_dot_product(mixer: mixer_oracle.Mixer, x: Tensor, sources: Tensor, **more) -> Tensor:
    """PyTorch's attention of x [n, d] to `sources` [m, d]."""
    query, key = mixer.split(mixer.query(x)), mixer.split(mixer.key(sources))
    value = mixer.split(mixer.value(sources))
    return mixer.join(functional.scaled_dot_product_attention(query, key, value, **more))


@pytest.mark.parametrize("causal", (False, True))
def test_softmax_is_pytorchs_attention(causal: bool) -> None:
    mixer, x = _mixer("softmax", causal=causal), _rows(19)
    _assert_equal(mixer(x), _scaled_dot_product(mixer, x, x, is_causal=causal))


@pytest.mark.parametrize("causal", (False, True))
def test_softmax_is_pytorchs_multihead_attention(causal: bool) -> None:
    mixer, x = _mixer("softmax", causal=causal, output_projection=True), _rows(19)
    theirs = torch.nn.MultiheadAttention(16, 4, batch_first=True).double()
    layers = (mixer.query, mixer.key, mixer.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in layers]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in layers]))
    theirs.out_proj.load_state_dict(mixer.output.state_dict())
    hidden = torch.ones(19, 19, dtype=torch.bool).triu(1) if causal else None
    _assert_equal(mixer(x), theirs(x[None], x[None], x[None], attn_mask=hidden)[0][0])


@pytest.mark.parametrize("window", (4, 6, 16))  # theirs fails at 2
@pytest.mark.parametrize("global_tokens", (0, 1, 3, 20))
@pytest.mark.parametrize("n", (1, 15, 16, 50))
def test_sliding_window_is_longformer(window: int, global_tokens: int, n: int) -> None:
    mixer = _mixer("sliding_window", window=window, global_tokens=global_tokens)
    theirs = LongformerSelfAttention(
        LongformerConfig(
            hidden_size=16, num_attention_heads=4, attention_window=[window],
            attention_probs_dropout_prob=0.0,
        ),
        layer_id=0,
    ).double()
    weights = mixer.state_dict()
    for name in ("query", "key", "value"):
        for part in ("weight", "bias"):
            theirs.get_parameter(f"{name}.{part}").data = weights[f"{name}.{part}"]
            shared = weights.get(f"global_{name}.{part}")
            if shared is not None:
                theirs.get_parameter(f"{name}_global.{part}").data = shared
    # Theirs takes multiples of the window. Padding is marked by a negative mask, a global token by
    # a positive one.
    x = _rows(-(-n // window) * window)
    count = min(global_tokens, n)
    marks = torch.zeros(1, x.shape[0], dtype=torch.float64)
    marks[0, :count], marks[0, n:] = 10000.0, -10000.0
    expected = theirs(
        x[None], attention_mask=marks, is_index_masked=marks < 0, is_index_global_attn=marks > 0,
        is_global_attn=count > 0,
    )[0][0]
    # Their softmax is in single precision.
    _assert_equal(mixer(x[:n]), expected[:n], tolerance=2e-6)


class _BigBird(modeling_big_bird.BigBirdBlockSparseAttention):
    """Remembers which random blocks it drew."""

    def _bigbird_block_rand_mask_with_head(self, *args, **kwargs):
        self.drawn = super()._bigbird_block_rand_mask_with_head(*args, **kwargs)
        return self.drawn


@pytest.mark.parametrize("random_blocks", (1, 2, 3))
@pytest.mark.parametrize("blocks", (12, 17))
def test_block_sparse_is_bigbird(random_blocks: int, blocks: int) -> None:
    mixer = _mixer("block_sparse", block_size=4, window=12, global_tokens=4)
    theirs = _BigBird(
        BigBirdConfig(
            hidden_size=16, num_attention_heads=4, block_size=4, num_random_blocks=random_blocks,
        ),
        seed=3,
    ).double()
    theirs.load_state_dict(mixer.state_dict(), strict=False)
    x, ones = _rows(4 * blocks), torch.ones(1, 4 * blocks, dtype=torch.float64)
    make_masks = modeling_big_bird.BigBirdModel.create_masks_for_block_sparse_attn
    blocked, band, of_query, of_key = make_masks(ones, 4)
    expected = theirs(x[None], band, of_query, of_key, blocked, blocked)[0][0]
    # Theirs draws from another generator, and its last block is global too: as a key it is one
    # more random block of ours, as a query it is left out.
    drawn = [[(), *of_head, ()] for of_head in theirs.drawn]
    mixer.random_blocks = lambda block, head, count: [*drawn[head][block], count - 1]
    _assert_equal(mixer(x)[:-4], expected[:-4])


@pytest.mark.parametrize(
    "fields",
    (
        {"window": 400, "global_tokens": 0, "random_tokens": 0},
        {"window": 0, "global_tokens": 40, "random_tokens": 0},
        {"window": 0, "global_tokens": 0, "random_tokens": 40},
        {"window": 9, "global_tokens": 4, "random_tokens": 40, "random_seed": 7},
    ),
)
@pytest.mark.parametrize("block_size", (1, 3, 40))
def test_full_block_sparse_is_softmax(fields: dict[str, int], block_size: int) -> None:
    mixer, x = _mixer("block_sparse", block_size=block_size, **fields), _rows(37)
    _assert_equal(mixer(x), _like(mixer, "softmax")(x))


def test_external_rows_are_further_keys_and_values() -> None:
    mixer = _mixer("block_sparse", global_kind="external", global_tokens=5, window=400)
    x = _rows(37)
    sources = torch.cat([mixer.global_rows, x])
    _assert_equal(mixer(x), _scaled_dot_product(mixer, x, sources))


def test_hashes_give_the_published_values() -> None:
    assert mixer_oracle.fnv1a("") == 0xCBF29CE484222325
    assert mixer_oracle.fnv1a("a") == 0xAF63DC4C8601EC8C
    assert mixer_oracle.fnv1a("foobar") == 0x85944171F73967E8
    # The first numbers of SplitMix64 from the state 0.
    step = 0x9E3779B97F4A7C15
    assert mixer_oracle.mix64(step) == 0xE220A8397B1DCDAF
    assert mixer_oracle.mix64(2 * step & (1 << 64) - 1) == 0x6E789E6AA1B965F4


def test_random_blocks_are_new_distinct_and_evenly_spread() -> None:
    mixer = _mixer("block_sparse", block_size=1, window=4, global_tokens=2, random_tokens=5)
    times = [0] * 24
    for block in range(2, 24):
        for head in range(40):
            drawn = mixer.random_blocks(block, head, 24)
            assert len(set(drawn)) == 5
            assert all(other >= 2 and abs(other - block) > 2 for other in drawn)
            for other in drawn:
                times[other] += 1
    assert times[:2] == [0, 0]
    # A block is a candidate of at least 17 others, each of which has at most 19 candidates.
    assert all(0.7 * 17 * 40 * 5 / 19 < t < 1.3 * 19 * 40 * 5 / 17 for t in times[2:])


@pytest.mark.parametrize("sharing", _KINDS)
def test_low_rank_with_the_identity_is_softmax(sharing: str) -> None:
    n = 21
    mixer = _mixer("low_rank", projection=n, projection_length=n, projection_sharing=sharing)
    identity = torch.eye(n, dtype=torch.float64)
    with torch.no_grad():
        for matrix in mixer.matrices():
            matrix.copy_(identity.expand(matrix.shape))
    _assert_equal(mixer(_rows(n)), _like(mixer, "softmax")(_rows(n)))


@pytest.mark.parametrize("sharing", _KINDS)
def test_low_rank_takes_the_first_columns_of_each_heads_matrix(sharing: str) -> None:
    mixer = _mixer("low_rank", projection=5, projection_length=30, projection_sharing=sharing)
    x = _rows(21)
    expected = []
    for head, columns in enumerate(torch.arange(16).view(4, 4)):
        e, f = (m[head] if m.dim() == 3 else m for m in mixer.matrices())
        layers = (mixer.query, mixer.key, mixer.value)
        query, key, value = (layer(x)[:, columns] for layer in layers)
        short_key = torch.einsum("kn,nc->kc", e[:, :21], key)
        short_value = torch.einsum("kn,nc->kc", f[:, :21], value)
        expected.append(torch.softmax(query @ short_key.T / 2.0, dim=1) @ short_value)
    _assert_equal(mixer(x), torch.cat(expected, dim=1))


@pytest.mark.parametrize(("sharing", "count"), tuple(zip(_KINDS, (4, 4, 2, 1))))
def test_low_rank_shares_its_projections(sharing: str, count: int) -> None:
    options = Options(mixer="low_rank", layers=2, projection_sharing=sharing)
    parameters = dict(mixer_oracle.build(options).named_parameters())
    names = [name for name in parameters if name.endswith("_projection.weight")]
    assert len(names) == count
    assert (names == ["encoder.length_projection.weight"]) == (sharing == "layers")


def test_low_rank_refuses_longer_documents() -> None:
    with pytest.raises(ValueError, match="30"):
        _mixer("low_rank", projection_length=30)(_rows(31))


def _features(mixer: mixer_oracle.Mixer, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """phi(Q), phi(K) and V by heads [n, h, e], phi(x) = x + 1 above zero and exp(x) below."""
    query, key = mixer.query(x), mixer.key(x)
    phi = [torch.where(y > 0, y + 1, torch.exp(y)) for y in (query, key)]
    return tuple(y.view(x.shape[0], 4, 4) for y in (*phi, mixer.value(x)))


def test_linear_is_the_associated_product() -> None:
    mixer, x = _mixer("linear"), _rows(23)
    query, key, value = _features(mixer, x)
    state = torch.einsum("nhe,nhf->hef", key, value)
    normalizer = torch.einsum("nhe,he->nh", query, key.sum(0)) + 1e-6
    expected = torch.einsum("nhe,hef->nhf", query, state) / normalizer[:, :, None]
    _assert_equal(mixer(x), expected.reshape(23, 16))


def test_causal_linear_is_the_recurrence() -> None:
    mixer, x = _mixer("linear", causal=True), _rows(23)
    state, normalizer = torch.zeros(4, 4, 4).double(), torch.zeros(4, 4).double()
    expected = []
    for query, key, value in zip(*_features(mixer, x)):
        state = state + key[:, :, None] * value[:, None, :]
        normalizer = normalizer + key
        weighted = (query[:, :, None] * state).sum(1)
        expected.append(weighted / ((query * normalizer).sum(1) + 1e-6)[:, None])
    _assert_equal(mixer(x), torch.stack(expected).view(23, 16))


@pytest.mark.parametrize("pooling", ("mean", "max", "dynamic"))
@pytest.mark.parametrize("residual", ("sum", "none"))
def test_pooling_by_single_tokens_is_a_second_softmax(pooling: str, residual: str) -> None:
    mixer = _mixer(
        "pooling", window=6, pooled_window=200, pooling_kernel=1, pooling_stride=1,
        pooling=pooling, pooling_residual=residual,
    )
    x = _rows(40)
    first = _like(mixer, "sliding_window", window=6, global_tokens=0)(x)
    second = _mixer("softmax")
    for name in ("query", "key", "value"):
        getattr(second, name).load_state_dict(getattr(mixer, f"pooled_{name}").state_dict())
    expected = second(first)
    _assert_equal(mixer(x), first + expected if residual == "sum" else expected)


@pytest.mark.parametrize(("kernel", "stride"), ((5, 4), (2, 3), (4, 2), (3, 3)))
@pytest.mark.parametrize("n", (24, 25))
def test_pooled_rows_are_pytorchs_pooling(kernel: int, stride: int, n: int) -> None:
    rows, count = _rows(n), math.ceil(n / stride)
    padding = (0, (count - 1) * stride + kernel - n)
    padded = functional.pad(rows.T, padding, value=-math.inf)
    sums = functional.avg_pool1d(functional.pad(rows.T, padding), kernel, stride) * kernel
    covered = functional.avg_pool1d(functional.pad(torch.ones(1, n), padding), kernel, stride)
    expected = {
        "max": functional.max_pool1d(padded[None], kernel, stride)[0],
        "mean": sums / (covered * kernel),
    }
    for pooling, pooled in expected.items():
        mixer = _mixer("pooling", pooling_kernel=kernel, pooling_stride=stride, pooling=pooling)
        actual = torch.stack([mixer.pool(rows, rows, p) for p in range(count)])
        _assert_equal(actual, pooled.T)


def test_dynamic_weights_without_preference_are_the_mean() -> None:
    x = _rows(22)
    mixer = _mixer("pooling", pooling="dynamic")
    with torch.no_grad():
        mixer.dynamic.weight.zero_()
        mixer.dynamic.bias.fill_(0.3)
    _assert_equal(mixer(x), _like(mixer, "pooling", pooling="mean")(x))


@pytest.mark.parametrize("mixer", MIXERS[1:])
def test_cases_meet_all_surroundings(mixer: str) -> None:
    cases = make_cases.cases(mixer)
    seen = {
        (name, getattr(case.options, name))
        for case in cases
        for name in ("layers", "normalization", "residual", "output_projection", "positions")
    }
    choices = {
        "layers": (1, 2), "normalization": ("pre", "post", "none"), "residual": (True, False),
        "output_projection": (True, False), "positions": (True, False),
    }
    assert seen >= {(name, value) for name, values in choices.items() for value in values}
    assert {case.dtype for case in cases} == {"F32", "F64"}
    assert {max(case.lengths) for case in cases} >= {0, 40, 65, 130, 300}


@pytest.mark.parametrize("kind", ("sliding_window", "block_sparse", "low_rank", "pooling"))
def test_only_softmax_and_linear_may_be_causal(kind: str) -> None:
    with pytest.raises(ValueError, match="causal"):
        Options(mixer=kind, causal=True)
