"""A model of fastformer in PyTorch behind FastAPI, as many services are built: the peer of bench/server_load.

MODEL is the model directory in the environment. The network is the authors' form with the parameters of the
model; words are found by a regular expression, which gives the tokens of the library for English text.
"""

from __future__ import annotations

import json
import os
import pathlib
import re

import torch
from authors_form import AuthorsForm, Settings
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from safetensors.torch import load_file

_MODEL = pathlib.Path(os.environ["MODEL"])
_CONFIG = json.loads((_MODEL / "config.json").read_text(encoding="utf-8"))
_LABELS = _CONFIG["classifier"]["labels"]
# Id 0 is left for padding.
_IDS = {word: i + 1 for i, word in enumerate((_MODEL / "vocab.txt").read_text(encoding="utf-8").splitlines())}
_WORDS = re.compile(r"[^\W_]+(?:['.][^\W_]+)*|[^\w\s]|_")

torch.set_num_threads(1)


def _load() -> AuthorsForm:
    state = load_file(_MODEL / "model.safetensors")
    words = state["embedding.token.weight"]
    state["embedding.token.weight"] = torch.cat([torch.zeros_like(words[:1]), words])
    shape = _CONFIG["model"]
    length = state["embedding.position.weight"].shape[0]
    form = AuthorsForm(Settings(len(words) + 1, len(_LABELS), width=shape["width"], heads=shape["heads"],
                                layers=shape["layers"], length=length))
    form.load_state_dict(state)
    return form.eval()


_FORM = _load()
_LENGTH = _FORM.embedding["position"].num_embeddings


class Texts(BaseModel):
    """The body of a request."""

    texts: list[str]


app = FastAPI()


@app.post("/v1/models/model/classify", response_model=None)
def classify(body: Texts) -> JSONResponse:
    """Label and probabilities of each text."""
    tokens = [[_IDS.get(word, _IDS["[UNK]"]) for word in _WORDS.findall(text.lower())[:_LENGTH]]
              for text in body.texts]
    ids = torch.zeros(len(tokens), max([1, *map(len, tokens)]), dtype=torch.long)
    for row, found in zip(ids, tokens):
        row[: len(found)] = torch.tensor(found)
    with torch.inference_mode():
        probabilities = torch.softmax(_FORM(ids), dim=1).tolist()
    return JSONResponse({"results": [
        {"label": _LABELS[max(range(len(row)), key=row.__getitem__)],
         "probabilities": [{"label": label, "probability": value} for label, value in zip(_LABELS, row)]}
        for row in probabilities]})
