"""Texts as the extension module takes them."""

from __future__ import annotations

from collections.abc import Iterable


def utf8_list(texts: Iterable[str]) -> list[str]:
    """Returns the texts as a list; raises TypeError if an element is not a str."""
    if isinstance(texts, (str, bytes)) or not isinstance(texts, Iterable):
        raise TypeError(f"expected a list of texts, got {type(texts).__name__}; pass a single text as a list: [text]")
    result = []
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"texts[{i}] has type {type(text).__name__}; expected str")
        result.append(utf8(text))
    return result


def utf8(text: str) -> str:
    """Replaces lone surrogates, which UTF-8 cannot encode, with U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
