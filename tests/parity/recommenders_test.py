"""The oracle of the recommenders against PyTorch's own layers, and what must change its scores."""

from __future__ import annotations

import pathlib
import sys

import pytest
import torch
from torch.nn import functional

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import make_recommender_cases as cases  # noqa: E402
import recommender_oracle as oracle  # noqa: E402

torch.set_num_threads(1)


def _model(model: str) -> oracle.Recommender:
    result = oracle.build(cases.cases(model)[0].options).double()
    cases.fill_parameters(result, 3)
    return result


def _random(*sizes: int) -> torch.Tensor:
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _assert_equal(actual: torch.Tensor, expected: torch.Tensor) -> None:
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max().item() < 1e-12


@pytest.mark.parametrize("dilation", (1, 2, 3))
@pytest.mark.parametrize("words", (1, 2, 7))
def test_a_level_is_a_dilated_convolution(dilation: int, words: int) -> None:
    level = oracle.Level(4, 5, dilation).double()
    x = _random(words, 4)
    weight, bias = level.convolution.weight, level.convolution.bias
    rows = functional.conv1d(x.T[None], weight, bias, padding=dilation, dilation=dilation)[0].T
    _assert_equal(torch.stack(level(list(x))), level.normalization(torch.relu(rows)))


@pytest.mark.parametrize("sizes", ((1, 1, 1), (3, 4, 5), (7, 2, 6)))
def test_the_cube_is_convolved_and_pooled_as_by_pytorch(sizes: tuple[int, int, int]) -> None:
    layer = torch.nn.Conv3d(4, 3, 3, padding=1).double()
    cube = _random(4, *sizes)
    _assert_equal(oracle.convolve(cube, layer), layer(cube[None])[0])
    pooled = functional.max_pool3d(cube[None], 3, stride=3, ceil_mode=True)[0]
    _assert_equal(oracle.block_maxima(cube), pooled)


def test_nrms_is_pytorchs_attention() -> None:
    model = _model("nrms")
    x = model.words([3, 1, 4, 1, 5])
    attention = model.news.encoder.layers[0].attention
    parts = (attention.query, attention.key, attention.value)
    query, key, value = (attention.split(layer(x)) for layer in parts)
    rows = attention.join(functional.scaled_dot_product_attention(query, key, value))
    _assert_equal(model.news(x), model.news.pooling(rows))


@pytest.mark.parametrize("model", cases.MODELS)
def test_clicks_and_candidate_matter(model: str) -> None:
    recommender = _model(model)
    history, candidate = [[1, 2, 3], [4, 5]], [6, 7]
    score = recommender.score(history, candidate)
    for changed in (recommender.score(history[:1], candidate),
                    recommender.score(history, [6, 8]),
                    recommender.score([[1, 2, 9], [4, 5]], candidate)):
        assert abs((changed - score).item()) > 1e-6
    empty = [recommender.score([], title).item() for title in ([6, 7], [8], [])]
    assert len(set(empty)) == 1


def test_fim_matches_the_last_news_and_the_first_words() -> None:
    recommender = _model("fim")
    last = [[i, i + 1] for i in range(recommender.options.matched_items)]
    score = recommender.score(last, [1, 2, 3, 4, 5])
    _assert_equal(recommender.score([[9]] + last, [1, 2, 3, 4, 5, 6]), score)
