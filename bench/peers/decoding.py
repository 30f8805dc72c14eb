"""Times the beam search of our summarizers against BART's in the Transformers library.

All have two encoder and two decoder layers, width 256, 8 heads, feed-forward width 512, 8,000
tokens and random parameters: the text has no meaning, but its generation takes the usual work. Each
writes as many tokens for each document (ours also the end token, or one more token), with five
beams, no repeated trigram, and cached keys and values. All documents have the same length, so that
the peer pads nothing, and it gets them in the batches that suit it best of 4, 8 and 16. `softmax`
is BART's architecture; `additive` is Fastformer with the copy mechanism, which BART lacks.

Before anything is timed, each summary must have the requested length, and the summary of a
single document must equal its summary in a batch.

Usage: decoding.py [--rounds 3] [--threads 2] [--documents 128] [--words 400] [--written 60]
       [--memory]

Prints a Markdown table: median documents per second with minimum and maximum, ours as a whole
process, and the median over the rounds of the ratio. --memory instead prints the peak of our
process at growing numbers of beams and written tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

import torch
from attention_block import cpu_model
from transformers import BartConfig, BartForConditionalGeneration

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_PROGRAM = _ROOT / "build" / "release" / "bin" / "fastformer"
_VOCABULARY, _BEAMS, _BATCHES = 8000, 5, (4, 8, 16)
_VARIANTS = {
    "softmax": {"model.mixer": "softmax", "model.decoder.copy": "false"},
    "additive": {"model.mixer": "additive", "model.decoder.copy": "true"},
}


def write_pairs(
    path: pathlib.Path, documents: int, words: int, seed: int, summary: int = 3
) -> None:
    """Invented documents of `words` words, each with a summary of `summary`."""
    draw = random.Random(seed)
    with path.open("w", encoding="utf-8") as file:
        for _ in range(documents):
            text, short = (
                " ".join(f"w{draw.randrange(_VOCABULARY)}" for _ in range(count))
                for count in (words, summary)
            )
            file.write(json.dumps({"article": text, "highlights": short}) + "\n")


def train(
    pairs: pathlib.Path, run: pathlib.Path, threads: int, fields: Mapping[str, object]
) -> str:
    """Trains on the invented pairs, with these fields of the recipe; what the program prints."""
    fields = {
        "data.train": f'["{pairs}"]', "data.validation": "[]", "data.test": "[]",
        "data.max_source_tokens": 0, "text.tokenizer": "word", "text.minimum_count": 1,
        "text.vocabulary_size": _VOCABULARY, "train.epochs": 1, "train.threads": threads,
    } | fields
    overrides = [part for n, v in fields.items() for part in ("--set", f"{n}={v}")]
    return subprocess.run(
        [_PROGRAM, "train", _ROOT / "recipes/cnn_dailymail.toml", "--output", run, *overrides],
        check=True, capture_output=True, text=True,
    ).stdout


class Ours:
    """A summarizer of ours with its random parameters."""

    def __init__(self, variant: str, folder: pathlib.Path, threads: int) -> None:
        self.variant, self.threads = variant, threads
        pairs, run = folder / f"{variant}.jsonl", folder / variant
        write_pairs(pairs, 400, 400, seed=2)
        fields = {
            "model.max_positions": 4096, "model.decoder.max_positions": 1024, "train.max_steps": 1,
            "train.learning_rate": 1e-9, "train.warmup_fraction": 0,
        } | _VARIANTS[variant]
        train(pairs, run, threads, fields)
        self.model = run / "model"

    def summarize(
        self, pairs: pathlib.Path, written: int, beams: int = _BEAMS
    ) -> tuple[list[str], float, int]:
        """The summaries, the seconds and the peak memory of the process in bytes."""
        # The end is a token, too.
        fields = {
            "beams": beams, "min_tokens": written, "max_tokens": written + 1, "blocked_ngram": 3
        }
        overrides = [part for n, v in fields.items() for part in ("--set", f"search.{n}={v}")]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
            started = time.perf_counter()
            process = subprocess.Popen(
                [_PROGRAM, "summarize", self.model, pairs, "--field", "article", "--precision",
                 "fp32", *overrides],
                stdout=answer, env=os.environ | {"OMP_NUM_THREADS": str(self.threads)},
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise RuntimeError(f"summarize {self.variant}: see the message above")
            answer.seek(0)
            return answer.read().splitlines(), seconds, usage.ru_maxrss * 1024

    def check(self, pairs: pathlib.Path, written: int) -> None:
        """Raises RuntimeError unless the summaries are what was asked for."""
        summaries, _, _ = self.summarize(pairs, written)
        for summary in summaries:
            if not written <= len(summary.split()) <= written + 1:
                raise RuntimeError(f"a summary of {len(summary.split())} words, not {written}")
        alone = pairs.with_suffix(".alone")
        last = pairs.read_text(encoding="utf-8").splitlines()[-1]
        alone.write_text(last + "\n", encoding="utf-8")
        if self.summarize(alone, written)[0] != summaries[-1:]:
            raise RuntimeError(f"{self.variant}: a document alone gets another summary")


class Bart:
    """The peer."""

    def __init__(self, documents: int, words: int) -> None:
        torch.manual_seed(1)
        config = BartConfig(
            vocab_size=_VOCABULARY, d_model=256, encoder_layers=2, decoder_layers=2,
            encoder_attention_heads=8, decoder_attention_heads=8, encoder_ffn_dim=512,
            decoder_ffn_dim=512, max_position_embeddings=4096,
        )
        self.model = BartForConditionalGeneration(config).eval()
        self.documents = torch.randint(4, _VOCABULARY, (documents, words))

    @torch.no_grad()
    def summarize(self, batch: int, written: int) -> float:
        """Seconds for all documents."""
        started = time.perf_counter()
        for part in self.documents.split(batch):
            tokens = self.model.generate(
                part, attention_mask=torch.ones_like(part), num_beams=_BEAMS,
                min_new_tokens=written, max_new_tokens=written, no_repeat_ngram_size=3,
                do_sample=False, use_cache=True, forced_bos_token_id=None,
            )
            if tokens.shape != (len(part), written + 1):
                raise RuntimeError(f"the peer wrote {list(tokens.shape)} tokens")
        return time.perf_counter() - started


def rate_text(rates: Sequence[float]) -> str:
    """Median, least and most."""
    return f"{statistics.median(rates):.2f} ({min(rates):.2f}-{max(rates):.2f})"


def compare(given: argparse.Namespace, folder: pathlib.Path) -> None:
    """The table."""
    pairs = folder / "documents.jsonl"
    write_pairs(pairs, given.documents, given.words, seed=1)
    contenders = [Ours(variant, folder, given.threads) for variant in _VARIANTS]
    for ours in contenders:
        ours.check(pairs, given.written)
    bart = Bart(given.documents, given.words)
    batch = min(_BATCHES, key=lambda size: bart.summarize(size, given.written))
    theirs: list[float] = []
    rates: dict[str, list[float]] = {variant: [] for variant in _VARIANTS}
    for _ in range(given.rounds):
        theirs.append(given.documents / bart.summarize(batch, given.written))
        for ours in contenders:
            seconds = ours.summarize(pairs, given.written)[1]
            rates[ours.variant].append(given.documents / seconds)
    print(f"{cpu_model()}, {given.threads} threads, PyTorch {torch.__version__}, fp32, "
          f"{given.documents} documents of {given.words} words, {given.written} tokens written, "
          f"{_BEAMS} beams\n\n| contender | documents/s | ratio |\n|---|---|---|")
    print(f"| BART in Transformers, {batch} at a time | {rate_text(theirs)} | |")
    for variant, ours in rates.items():
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        print(f"| {variant} here | {rate_text(ours)} | {ratio:.1f} |")


def measure_memory(given: argparse.Namespace, folder: pathlib.Path) -> None:
    """The peak of our process where one of beams and written tokens grows."""
    pairs = folder / "documents.jsonl"
    write_pairs(pairs, 16, given.words, seed=1)
    ours = Ours("additive", folder, given.threads)
    print("| beams | tokens written | peak, MiB |\n|---|---|---|")
    for beams, written in ((5, 60), (5, 120), (5, 240), (5, 480), (10, 60), (20, 60), (40, 60)):
        peak = ours.summarize(pairs, written, beams)[2]
        print(f"| {beams} | {written} | {peak / 2**20:.0f} |", flush=True)


def main() -> None:
    """Checks, then times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--documents", type=int, default=128)
    parser.add_argument("--words", type=int, default=400)
    parser.add_argument("--written", type=int, default=60)
    parser.add_argument("--memory", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        (measure_memory if given.memory else compare)(given, pathlib.Path(folder))


if __name__ == "__main__":
    main()
