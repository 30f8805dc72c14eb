"""Additive attention as modules for PyTorch, on the kernels of this library.

>>> from fastformer.torch import AdditiveAttention
>>> attention = AdditiveAttention(width=256, heads=16)
>>> attention(torch.randn(7, 256), offsets=torch.tensor([0, 3, 7])).shape  # two sequences, no padding
torch.Size([7, 256])
>>> attention(torch.randn(2, 5, 256), mask=torch.ones(2, 5)).shape
torch.Size([2, 5, 256])

The parameters of :class:`AdditiveAttention` have the names of ``FastSelfAttention`` in the code of the
paper's authors, so that state dicts can be exchanged. The modules run on the CPU, in float32 or float64,
and ``torch.compile`` does not break the graph at them. They need the package ``fastformer-train``.
"""

from __future__ import annotations

from typing import Any

import fastformer_train  # noqa: F401  (registers the operators)
import torch
from torch import Tensor, nn

__all__ = ["AdditiveAttention", "FastformerEncoder", "FastformerLayer"]

_NAME = "fastformer::additive_attention"


@torch.library.register_fake(_NAME)
def _(x: Tensor, offsets: Tensor | None, mask: Tensor | None, parameters: list[Tensor], heads: int,
      training: bool) -> tuple[Tensor, Tensor]:
    del offsets, mask, parameters, heads
    return torch.empty_like(x).contiguous(), x.new_empty([int(training)], dtype=torch.int64)


@torch.library.register_fake(f"{_NAME}_backward")
def _(gradient: Tensor, ticket: Tensor, x: Tensor, parameters: list[Tensor]) -> list[Tensor]:
    del gradient, ticket
    return [torch.empty_like(value).contiguous() for value in (x, *parameters)]


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    x, _offsets, _mask, parameters, *_rest = inputs
    ctx.save_for_backward(output[1], x, *parameters)


def _backward(ctx: Any, gradient: Tensor, _ticket: Tensor) -> tuple[Any, ...]:
    ticket, x, *parameters = ctx.saved_tensors
    dx, *rest = torch.ops.fastformer.additive_attention_backward(gradient, ticket, x, parameters)
    return dx, None, None, rest, None, None


def _no_second_derivative(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
    raise RuntimeError("additive attention has no second derivative; leave out create_graph")


torch.library.register_autograd(_NAME, _backward, setup_context=_setup)
torch.library.register_autograd(f"{_NAME}_backward", _no_second_derivative)


class AdditiveAttention(nn.Module):
    """The token mixer of Fastformer (Wu et al., arXiv 2108.09084, section 3.1).

    With queries Q, keys K and d = heads * e columns, per head:

        alpha = softmax((Q A^T + a) / sqrt(e)),  q = sum_i alpha_i Q_i
        beta = softmax(((q * K) C^T + c) / sqrt(e)),  k = sum_i beta_i (q * K_i)
        y_i = Wt (k * Q_i) + bt + Q_i,  then Wo y_i + bo with ``output``

    Cost and memory grow linearly with the length. The linear layers hold the parameters and are not called.
    """

    def __init__(self, width: int, heads: int, *, output: bool = False,
                 dtype: torch.dtype | None = None) -> None:
        """Parameters as in the authors' code: weights from N(0, 0.02^2), biases 0.

        Args:
            width: d, a multiple of ``heads``.
            heads: number of heads.
            output: whether a linear layer follows.
            dtype: float32 or float64; None: torch's default.
        """
        super().__init__()
        if heads < 1 or width < 1 or width % heads:
            raise ValueError(f"width {width} is not a multiple of the {heads} heads")
        if (dtype or torch.get_default_dtype()) not in (torch.float32, torch.float64):
            raise ValueError(f"dtype is {dtype or torch.get_default_dtype()}; expected float32 or float64")
        self.width, self.heads = width, heads
        self.query = nn.Linear(width, width, dtype=dtype)
        self.query_att = nn.Linear(width, heads, dtype=dtype)
        self.key = nn.Linear(width, width, dtype=dtype)
        self.key_att = nn.Linear(width, heads, dtype=dtype)
        self.transform = nn.Linear(width, width, dtype=dtype)
        self.output = nn.Linear(width, width, dtype=dtype) if output else None
        self.apply(_initialize)

    def _parameters_in_order(self) -> list[Tensor]:
        layers = [self.query, self.query_att, self.key, self.key_att, self.transform]
        if self.output is not None:
            layers.append(self.output)
        for layer in layers:
            if type(layer) is not nn.Linear or layer._forward_hooks or layer._forward_pre_hooks:
                raise TypeError(f"a layer of AdditiveAttention is a {type(layer).__name__} or has hooks; its "
                                "layers hold parameters only and must stay nn.Linear without hooks")
        return [tensor for layer in layers for tensor in (layer.weight, layer.bias)]

    def forward(self, x: Tensor, offsets: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Mixes the tokens of each sequence.

        Args:
            x: rows ``[T, d]`` with ``offsets``, or padded ``[B, L, d]``.
            offsets: ``[B + 1]`` int64: sequence b has the rows ``offsets[b]`` to ``offsets[b + 1] - 1``.
            mask: ``[B, L]``: true or 1 for tokens, false or 0 for padding, whose rows of the result
                are zeros. None: no padding. An additive mask of 0 and -10000, as in the authors' code,
                is ``mask == 0``; PyTorch's ``key_padding_mask`` is its opposite, ``~mask``.

        Raises:
            ValueError: for shapes, types and devices that do not fit.
            RuntimeError: for offsets that do not rise, and a mask of other values.
        """
        for name, value in (("x", x), ("offsets", offsets), ("mask", mask)):
            if value is not None and not isinstance(value, Tensor):
                raise ValueError(f"{name} has type {type(value).__name__}; expected a tensor")
            if value is not None and value.device.type != "cpu":
                raise ValueError(f"{name} is on {value.device}; expected the CPU")
        if x.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"x is {x.dtype}; expected float32 or float64: convert it, and leave "
                             "torch.autocast for this module")
        if x.dtype != self.query.weight.dtype:
            raise ValueError(f"x is {x.dtype}; expected {self.query.weight.dtype}, as the parameters")
        if offsets is not None and (offsets.dtype != torch.int64 or offsets.dim() != 1):
            raise ValueError(f"offsets is {offsets.dtype} of shape {tuple(offsets.shape)}; expected int64 of "
                             "shape [B + 1]")
        if x.dim() not in (2, 3) or x.shape[-1] != self.width:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected [T, {self.width}] with offsets, or "
                             f"[B, L, {self.width}]")
        if (x.dim() == 2) != (offsets is not None) or (x.dim() == 2 and mask is not None):
            raise ValueError("rows [T, d] need offsets and no mask; [B, L, d] takes a mask and no offsets")
        shape = x.shape
        if x.dim() == 3 and mask is None:
            offsets = torch.arange(shape[0] + 1) * shape[1]
            x = x.reshape(-1, self.width)
        elif mask is not None and mask.shape != shape[:2]:
            raise ValueError(f"mask has shape {tuple(mask.shape)}; expected {tuple(shape[:2])}")
        parameters = self._parameters_in_order()
        training = torch.is_grad_enabled() and any(t.requires_grad for t in (x, *parameters))
        y, _ticket = torch.ops.fastformer.additive_attention(x, offsets, mask, parameters, self.heads,
                                                            training)
        return y.view(shape)

    def extra_repr(self) -> str:
        """Width and heads."""
        return f"width={self.width}, heads={self.heads}"


def _initialize(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        nn.init.zeros_(module.bias)


class FastformerLayer(nn.Module):
    """Attention and feed-forward, each with a residual connection and a layer normalization after it."""

    def __init__(self, width: int, heads: int, ffn_width: int, dropout: float = 0.2,
                 dtype: torch.dtype | None = None) -> None:
        """Builds the layer; ``dtype`` as for :class:`AdditiveAttention`."""
        super().__init__()
        self.attention = AdditiveAttention(width, heads, output=True, dtype=dtype)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12, dtype=dtype)
        self.intermediate = nn.Linear(width, ffn_width, dtype=dtype)
        self.output = nn.Linear(ffn_width, width, dtype=dtype)
        self.output_norm = nn.LayerNorm(width, eps=1e-12, dtype=dtype)
        self.dropout = nn.Dropout(dropout)
        self.apply(_initialize)

    def forward(self, x: Tensor, offsets: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """As :meth:`AdditiveAttention.forward`."""
        x = self.attention_norm(x + self.dropout(self.attention(x, offsets, mask)))
        y = self.output(nn.functional.gelu(self.intermediate(x)))
        return self.output_norm(x + self.dropout(y))


class FastformerEncoder(nn.Module):
    """A stack of :class:`FastformerLayer`."""

    def __init__(self, width: int = 256, heads: int = 16, layers: int = 2, ffn_width: int | None = None,
                 dropout: float = 0.2, dtype: torch.dtype | None = None) -> None:
        """``ffn_width`` is ``width`` unless it is given, as in the authors' code."""
        super().__init__()
        self.layers = nn.ModuleList(
            FastformerLayer(width, heads, width if ffn_width is None else ffn_width, dropout, dtype)
            for _ in range(layers))

    def forward(self, x: Tensor, offsets: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """As :meth:`AdditiveAttention.forward`."""
        for layer in self.layers:
            x = layer(x, offsets, mask)
        return x
