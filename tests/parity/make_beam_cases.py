"""Writes what the beam search of the library Transformers finds, for the C++ search to find too.

Usage: make_beam_cases.py OUTFILE

The model is a table: the logits of the next token depend on the last one and on its place. OUTFILE
holds a list of cases: `table` [max_tokens, V, V] of log-probabilities, `vocabulary_size`, `beams`,
`length_penalty`, `min_tokens`, `max_tokens`, `blocked_ngram`, and `texts`, best first, each with
`tokens`, `score` and `ended`. Token 0 begins a text and token 1 ends it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import pathlib

import torch
from torch import Tensor
from transformers import GenerationConfig, GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

_BEGIN, _END = 0, 1
_FILLER = -1e8  # scores below stand for beams that found no text


class TableModel(PreTrainedModel, GenerationMixin):
    """The least that `generate` takes for a model."""

    config_class = PreTrainedConfig
    main_input_name = "input_ids"

    def __init__(self, table: Tensor) -> None:
        super().__init__(PreTrainedConfig(vocab_size=table.shape[1], is_encoder_decoder=False))
        self.table = torch.nn.Parameter(table, requires_grad=False)

    def forward(self, input_ids: Tensor, **_: object) -> CausalLMOutput:
        """[H, n] ids to logits [H, n, V]."""
        return CausalLMOutput(logits=self.table[torch.arange(input_ids.shape[1]), input_ids])


def _texts(sequences: Tensor, scores: Tensor) -> list[dict[str, object]]:
    texts = []
    for tokens, score in zip(sequences.tolist(), scores.tolist()):
        if score < _FILLER:
            continue
        tokens = tokens[1:]
        ended = _END in tokens
        tokens = tokens[: tokens.index(_END)] if ended else tokens
        texts.append({"tokens": tokens, "score": score, "ended": ended})
    return texts


def make_case(
    seed: int, beams: int, length_penalty: float, blocked_ngram: int, min_tokens: int
) -> dict[str, object]:
    """One search over one table."""
    generator = torch.Generator().manual_seed(seed)
    size, max_tokens = 8 + seed % 5, 6 + seed % 9
    sharpness = (0.5, 1.5, 3.0)[seed % 3]
    shape = (max_tokens, size, size)
    logits = torch.randn(shape, generator=generator, dtype=torch.float64) * sharpness
    logits[:, :, _END] -= (0.0, 1.0)[seed % 2]
    table = torch.log_softmax(logits, dim=2)
    model = TableModel(table.float())
    config = GenerationConfig(
        num_beams=beams, num_return_sequences=beams, length_penalty=length_penalty,
        no_repeat_ngram_size=blocked_ngram, min_new_tokens=min_tokens, max_new_tokens=max_tokens,
        early_stopping="never", do_sample=False, use_cache=False, bos_token_id=_BEGIN,
        eos_token_id=_END, pad_token_id=_END, output_scores=True, return_dict_in_generate=True,
    )
    found = model.generate(torch.tensor([[_BEGIN]]), generation_config=config)
    return {
        "table": table.flatten().tolist(), "vocabulary_size": size, "beams": beams,
        "length_penalty": length_penalty,
        "min_tokens": min_tokens, "max_tokens": max_tokens, "blocked_ngram": blocked_ngram,
        "texts": _texts(found.sequences, found.sequences_scores),
    }


def main() -> None:
    """Writes all cases into the file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("outfile", type=pathlib.Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    combinations = itertools.product(
        (2, 3, 5), (0.0, 0.6, 1.0, 2.0, -0.5), (0, 1, 2, 3), (0, 3)
    )
    cases = [make_case(seed, *options) for seed, options in enumerate(combinations)]
    arguments.outfile.write_text(json.dumps(cases), encoding="utf-8")


if __name__ == "__main__":
    main()
