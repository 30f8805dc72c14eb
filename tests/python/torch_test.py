"""fastformer.torch against the formula in plain PyTorch, its gradients, and under torch.compile."""

from __future__ import annotations

import gc
import math

import pytest
import torch
from torch import nn

pytest.importorskip("fastformer_train", reason="build it: scripts/test, or pip install ./python/train")
from fastformer.torch import AdditiveAttention, FastformerEncoder  # noqa: E402


def _authors_form(layer: AdditiveAttention, x: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """The layer as the authors' code computes it: padded [B, L, d], an additive mask."""
    batch, length, width = x.shape
    own = width // layer.heads
    added = torch.zeros(batch, 1, length, dtype=x.dtype)
    if mask is not None:
        added = (1 - mask.to(x.dtype)).unsqueeze(1) * -1e9

    def pool(rows: torch.Tensor, logits: nn.Linear) -> torch.Tensor:
        weights = torch.softmax(logits(rows).transpose(1, 2) / math.sqrt(own) + added, -1)
        split = rows.view(batch, length, layer.heads, own).transpose(1, 2)
        return (weights.unsqueeze(2) @ split).transpose(1, 2).reshape(batch, 1, width)

    query, key = layer.query(x), layer.key(x)
    mixed = key * pool(query, layer.query_att)
    y = layer.transform(pool(mixed, layer.key_att) * query) + query
    return y if layer.output is None else layer.output(y)


def _layer(output: bool = False, dtype: torch.dtype = torch.float64) -> AdditiveAttention:
    torch.manual_seed(1)
    layer = AdditiveAttention(8, 2, output=output, dtype=dtype)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer


@pytest.mark.parametrize("output", [False, True])
@pytest.mark.parametrize("length", [1, 5, 40])
def test_equals_the_authors_form(output, length):
    layer = _layer(output)
    x = torch.randn(3, length, 8, dtype=torch.float64)
    assert torch.allclose(layer(x), _authors_form(layer, x, None), atol=1e-12)
    mask = torch.rand(3, length) < 0.6
    mask[:, 0] = True
    found, expected = layer(x, mask=mask), _authors_form(layer, x, mask)
    assert torch.allclose(found[mask], expected[mask], atol=1e-12)
    assert not found[~mask].any()
    assert torch.equal(found, layer(x, mask=mask.to(torch.int64)))
    rows = x[mask]
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), mask.sum(1).cumsum(0)])
    assert torch.allclose(layer(rows, offsets=offsets), found[mask], atol=1e-12)


@pytest.mark.parametrize("output", [False, True])
def test_gradients(output):
    layer = _layer(output)
    x = torch.randn(6, 8, dtype=torch.float64, requires_grad=True)
    offsets = torch.tensor([0, 2, 2, 6])
    parameters = tuple(layer.parameters())

    def ragged(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        names = [name for name, _ in layer.named_parameters()]
        return torch.func.functional_call(layer, dict(zip(names, values, strict=True)), (x, offsets))

    assert torch.autograd.gradcheck(ragged, (x, *parameters))
    padded = torch.randn(2, 3, 8, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[1, 1, 0], [1, 0, 1]])
    assert torch.autograd.gradcheck(lambda x: layer(x, mask=mask), (padded,))


def test_gradients_equal_those_of_the_formula_twice():
    layer = _layer(True, torch.float32)
    x = torch.randn(2, 30, 8, requires_grad=True)
    mask = torch.ones(2, 30)
    mask[1, 20:] = 0
    weight = torch.randn(2, 30, 8) * mask.unsqueeze(2)
    expected = torch.autograd.grad((_authors_form(layer, x, mask) * weight).sum(),
                                   [x, *layer.parameters()])
    loss = (layer(x, mask=mask) * weight).sum()
    for keep in (True, False):
        found = torch.autograd.grad(loss, [x, *layer.parameters()], retain_graph=keep)
        for a, b in zip(found, expected, strict=True):
            assert torch.allclose(a, b, atol=1e-4, rtol=1e-4)


def test_compiles_without_a_break():
    torch.manual_seed(2)
    encoder = FastformerEncoder(width=8, heads=2, layers=2, dropout=0.0)
    compiled = torch.compile(encoder, fullgraph=True, backend="aot_eager")
    x = torch.randn(3, 7, 8)
    mask = torch.ones(3, 7, dtype=torch.bool)
    mask[2, 4:] = False
    for arguments in ({"mask": mask}, {}):
        losses, gradients = [], []
        for call in (encoder, compiled):
            encoder.zero_grad()
            loss = call(x, **arguments).square().sum()
            loss.backward()
            losses.append(loss.detach())
            gradients.append([p.grad.clone() for p in encoder.parameters()])
        assert torch.allclose(*losses)
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(*gradients, strict=True))


def test_operators_are_sound():
    layer = _layer()
    x = torch.randn(5, 8, dtype=torch.float64, requires_grad=True)
    torch.library.opcheck(torch.ops.fastformer.additive_attention, (
        x, torch.tensor([0, 5]), None, [p for p in layer.parameters()], 2, True),
        test_utils=("test_schema", "test_faketensor"))


def test_graphs_are_freed():
    layer = _layer(dtype=torch.float32)
    x = torch.randn(20_000, 8)
    offsets = torch.tensor([0, 20_000])
    resident = []
    for i in range(120):
        layer(x, offsets=offsets).sum()  # no backward pass
        layer(x, offsets=offsets).sum().backward()
        if i in (40, 119):
            gc.collect()
            with open("/proc/self/statm", encoding="ascii") as file:
                resident.append(int(file.read().split()[1]) * 4096)
    assert resident[1] - resident[0] < 20_000_000  # one graph of 20,000 rows takes 3 MB


def test_learns_as_the_formula_does():
    torch.manual_seed(3)
    x, targets = torch.randn(4, 12, 8), torch.randn(4, 12, 8)
    losses = []
    for ours in (True, False):
        layer = _layer(True, torch.float32)
        optimizer = torch.optim.Adam(layer.parameters(), lr=1e-2)
        own = []
        for _ in range(100):
            optimizer.zero_grad()
            y = layer(x) if ours else _authors_form(layer, x, None)
            loss = (y - targets).square().mean()
            loss.backward()
            optimizer.step()
            own.append(loss.item())
        losses.append(own)
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0][-1] < 0.9 * losses[0][0]


def test_names_are_those_of_the_authors():
    names = set(AdditiveAttention(8, 2).state_dict())
    layers = ("query", "query_att", "key", "key_att", "transform")
    assert names == {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}


def test_wrong_arguments_are_named():
    layer = _layer(dtype=torch.float32)
    with pytest.raises(ValueError, match="width 8 is not a multiple of the 3 heads"):
        AdditiveAttention(8, 3)
    with pytest.raises(ValueError, match=r"x has shape \(5, 7\)"):
        layer(torch.zeros(5, 7), offsets=torch.tensor([0, 5]))
    with pytest.raises(ValueError, match="need offsets and no mask"):
        layer(torch.zeros(5, 8))
    with pytest.raises(ValueError, match=r"mask has shape \(2, 4\); expected \(2, 5\)"):
        layer(torch.zeros(2, 5, 8), mask=torch.ones(2, 4))
    for offsets in ([0, 4], [1, 5], [0, 6], [0, 3, 2, 5]):
        with pytest.raises(RuntimeError, match="offsets must rise from 0 to the number of rows, 5"):
            layer(torch.zeros(5, 8), offsets=torch.tensor(offsets))
    with pytest.raises(ValueError, match="x is torch.bfloat16; expected float32 or float64"):
        layer(torch.zeros(5, 8, dtype=torch.bfloat16), offsets=torch.tensor([0, 5]))
    with pytest.raises(ValueError, match="offsets is torch.int32"):
        layer(torch.zeros(5, 8), offsets=torch.tensor([0, 5], dtype=torch.int32))
    with pytest.raises(ValueError, match="dtype is torch.bfloat16"):
        AdditiveAttention(8, 2, dtype=torch.bfloat16)
    with pytest.raises(RuntimeError, match="for an additive mask pass mask == 0"):
        layer(torch.zeros(2, 5, 8), mask=torch.full((2, 5), -10000.0))


def test_replaced_layers_and_other_devices_are_refused():
    layer = _layer(dtype=torch.float32)
    x, offsets = torch.zeros(5, 8), torch.tensor([0, 5])
    with pytest.raises(ValueError, match="offsets is on meta; expected the CPU"):
        layer(x, offsets=offsets.to("meta"))
    with pytest.raises(ValueError, match="offsets has type list; expected a tensor"):
        layer(x, offsets=[0, 5])
    with pytest.raises(ValueError, match="x is torch.float64; expected torch.float32"):
        layer(x.double(), offsets=offsets)
    layer.query.register_forward_hook(lambda *_: None)
    with pytest.raises(TypeError, match="must stay nn.Linear without hooks"):
        layer(x, offsets=offsets)


def test_nothing_to_read():
    layer = _layer(dtype=torch.float32)
    assert layer(torch.zeros(0, 8), offsets=torch.tensor([0])).shape == (0, 8)
    x = torch.randn(2, 3, 8, requires_grad=True)
    y = layer(x, mask=torch.zeros(2, 3))
    assert not y.any()
    y.sum().backward()
    assert not x.grad.any()


def test_has_no_second_derivative():
    layer = _layer()
    x = torch.randn(4, 8, dtype=torch.float64, requires_grad=True)
    y = layer(x, offsets=torch.tensor([0, 4])).square().sum()
    gradient, = torch.autograd.grad(y, x, create_graph=True)
    with pytest.raises(RuntimeError, match="additive attention has no second derivative"):
        gradient.sum().backward()
