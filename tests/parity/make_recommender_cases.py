"""Writes the parity cases of the recommenders: inputs, scores, loss and all gradients.

Usage: make_recommender_cases.py OUTDIR MODEL

OUTDIR/case_NNN/config.json holds the options and OUTDIR/case_NNN/case.safetensors the tensors
`parameter.<name>`, `token_ids`, `token_offsets` (of the distinct titles), `history`,
`history_offsets`, `candidates`, `candidate_offsets` (positions among the titles), `scores` [C],
`loss` [], `gradient.<name>` and, where a model has them, `news` [N, d] and `users` [B, d].
OUTDIR/case_NNN/pretrained/config.json is that of BERT, for the models that begin with it.
Expected values are computed in double; a case of dtype F32 starts from parameters that float32
holds exactly.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import random

import torch
from safetensors.torch import save_file
from torch import Tensor

import oracle
from recipe_fields import encoder_fields
from recommender_oracle import Options, Recommender, TwoTower, bert_config, build, loss

_DTYPES = {"F32": torch.float32, "F64": torch.float64}
MODELS = ("fastformer", "fim", "nrms", "plm_nr", "fastformer_plm_nr")
_VOCABULARY = 40
_PAPER = oracle.Options(
    width=16, heads=4, layers=1, normalization="none", ffn_width=16, vocabulary_size=_VOCABULARY,
    positions=False,
)
_BARE = dataclasses.replace(
    _PAPER, mixer="softmax", residual=False, output_projection=False, ffn_width=0
)


@dataclasses.dataclass(frozen=True)
class Case:
    """Options with the shape of the batch: words of each title, news of each history."""

    options: Options
    dtype: str = "F64"
    titles: tuple[int, ...] = (4, 0, 1, 9, 6, 2, 12)
    histories: tuple[int, ...] = (3, 0, 1, 7)
    candidates: int = 3


def _towers(news: oracle.Options, user: oracle.Options, **more: object) -> Options:
    return Options(news=news, user=user, **more)


def _two_tower_cases(model: str) -> list[Case]:
    replace = dataclasses.replace
    base = _BARE if model == "nrms" else _PAPER
    result = [
        Case(_towers(base, base, model=model)),
        Case(_towers(base, base, model=model), "F32"),
        Case(_towers(base, base, model=model, query_width=16, embedding_normalization=True)),
        Case(_towers(replace(base, positions=True), base, model=model)),
        Case(_towers(base, base, model=model), histories=(0, 0)),
        Case(_towers(base, base, model=model), titles=(0, 0), histories=(2,)),
        Case(_towers(base, replace(base, layers=2, heads=2), model=model), candidates=1),
    ]
    if model == "nrms":
        return result
    for mixer in oracle.MIXERS:
        if mixer == "block_sparse":
            continue
        other = replace(
            _PAPER, mixer=mixer, layers=2, normalization="post", window=4, global_tokens=1,
            pooled_window=4, pooling_kernel=2, pooling_stride=2, projection=3,
            projection_length=64,
        )
        result.append(Case(_towers(other, _PAPER, model=model)))
        result.append(Case(_towers(_PAPER, other, model=model), "F32"))
    return result


def _fim_cases() -> list[Case]:
    news = dataclasses.replace(_PAPER, width=8)
    shapes = ((5, 4), (1, 1), (4, 3), (10, 2), (3, 11))
    options = [
        Options(model="fim", news=news, user=news, matched_words=words, matched_items=count)
        for words, count in shapes
    ]
    result = [Case(o) for o in options] + [Case(options[0], "F32")]
    result.append(Case(options[0], histories=(0, 0)))
    return result + [Case(options[0], titles=(0, 0), histories=(2,))]


def _pretrained_cases(model: str) -> list[Case]:
    user = _PAPER if model == "fastformer_plm_nr" else _BARE
    result = [
        Case(_towers(_PAPER, user, model=model, trainable_layers=layers))
        for layers in (-1, 0, 1, 2, 3)
    ]
    options = result[0].options
    return result + [
        Case(options, "F32"),
        Case(dataclasses.replace(options, bert_width=16)),
        Case(options, histories=(0, 0)),
        Case(options, titles=(0, 0), histories=(2,)),
    ]


def cases(model: str) -> list[Case]:
    """All cases of a model in the order of their numbers."""
    if model.endswith("plm_nr"):
        return _pretrained_cases(model)
    return _fim_cases() if model == "fim" else _two_tower_cases(model)


def fill_parameters(model: Recommender, seed: int) -> None:
    """Values large enough that a wrong term shows, and small enough that no softmax saturates."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            matrix = parameter.dim() > 1 and "embedding" not in name
            values *= parameter[0].numel() ** -0.5 if matrix else 0.3
            if name.endswith(("normalization.weight", "LayerNorm.weight")):
                values += 0.3 if name.startswith("embedding.") else 1.0
            parameter.copy_(values)


def _library_name(name: str) -> str:
    """A parameter's name in the library; a module cannot have a member called like a method."""
    return name.replace("scorer.", "score.")


def make_tensors(case: Case, seed: int) -> dict[str, Tensor]:
    """Everything that goes into case.safetensors."""
    draw = random.Random(seed)
    # transformers gives the embedding of token 0 no gradient.
    titles = [[draw.randrange(1, _VOCABULARY) for _ in range(n)] for n in case.titles]
    histories = [[draw.randrange(len(titles)) for _ in range(n)] for n in case.histories]
    shown = [[draw.randrange(len(titles)) for _ in range(case.candidates)] for _ in histories]
    model = build(case.options).double()
    fill_parameters(model, seed)
    dtype = _DTYPES[case.dtype]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(dtype))
    scores = [
        torch.stack([model.score([titles[n] for n in history], titles[c]) for c in candidates])
        for history, candidates in zip(histories, shown)
    ]
    value = loss(scores)
    value.backward()
    floats = {"scores": torch.cat(scores), "loss": value}
    if isinstance(model, TwoTower):
        floats["items"] = torch.stack([model.encode_news(title) for title in titles])
        floats["users"] = torch.stack(
            [model.encode_user([titles[n] for n in history]) for history in histories]
        )
    for name, parameter in model.named_parameters():
        floats[f"parameter.{_library_name(name)}"] = parameter
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        floats[f"gradient.{_library_name(name)}"] = gradient
    tensors = {name: x.detach().to(dtype).contiguous() for name, x in floats.items()}
    for name, lists in (("token", titles), ("history", histories), ("candidate", shown)):
        flat = {"token": "token_ids", "history": "history", "candidate": "candidates"}[name]
        tensors[flat] = torch.tensor([x for one in lists for x in one], dtype=torch.int64)
        lengths = torch.tensor([0, *(len(one) for one in lists)], dtype=torch.int64)
        tensors[f"{name}_offsets"] = torch.cumsum(lengths, 0)
    return tensors


def has_pretrained(case: Case) -> bool:
    """Whether titles are read by BERT."""
    return case.options.model.endswith("plm_nr")


def make_config(case: Case, pretrained: pathlib.Path) -> dict[str, object]:
    """What goes into config.json."""
    options = case.options
    users = encoder_fields(options.user)
    del users["width"]
    model = encoder_fields(options.news) | {
        "model": options.model, "users": users, "query_width": options.query_width,
        "max_positions": options.news.max_positions if options.news.positions else 0,
        "embedding_normalization": options.embedding_normalization, "embedding_dropout": 0.0,
        "matched_words": options.matched_words, "matched_items": options.matched_items,
        "filters": options.filters, "trainable_layers": options.trainable_layers,
        "pretrained": str(pretrained) if has_pretrained(case) else "",
    }
    return {
        "dtype": case.dtype, "vocabulary_size": options.news.vocabulary_size,
        "recipe": {"model": model},
    }


def main() -> None:
    """Writes all cases of a model into the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("outdir", type=pathlib.Path)
    parser.add_argument("model", choices=MODELS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for i, case in enumerate(cases(arguments.model)):
        folder = arguments.outdir / f"case_{i:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        config = json.dumps(make_config(case, folder / "pretrained"), indent=2) + "\n"
        (folder / "config.json").write_text(config, encoding="utf-8")
        if has_pretrained(case):
            bert_config(case.options).save_pretrained(folder / "pretrained")
        save_file(make_tensors(case, i), folder / "case.safetensors")


if __name__ == "__main__":
    main()
