"""Programs that serve models, for the tests."""

from __future__ import annotations

import contextlib
import http.client
import json
import pathlib
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = ROOT / "build" / "release" / "bin"


def train(folder: pathlib.Path, name: str, recipe: str) -> pathlib.Path:
    """The model directory of a recipe, whose files are in `folder`."""
    (folder / f"{name}.toml").write_text(recipe, encoding="utf-8")
    subprocess.run([BIN / "fastformer", "train", f"{name}.toml", "--output", name], cwd=folder, check=True,
                   capture_output=True)  # fmt: skip
    return folder / name / "model"


class Server:
    """A program that serves on a free port of loopback."""

    def __init__(self, words: list[Any], program: str = "fastformer-run") -> None:
        self.process = subprocess.Popen([BIN / program, "serve", *map(str, words), "--port", "0"],
                                        stderr=subprocess.PIPE, text=True)
        self.log: list[str] = []
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.match(r"listening on http://(.*):(\d+)", line):
                break
        else:
            raise AssertionError(f"the server ended: {''.join(self.log)}")
        self.host, self.port = found[1], int(found[2])
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    @property
    def url(self) -> str:
        """Without a final slash."""
        return f"http://{self.host}:{self.port}"

    def connection(self, timeout: float = 60) -> http.client.HTTPConnection:
        """A new connection, which the caller closes."""
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
            ) -> tuple[int, Any]:
        """Status and JSON (else text) of the answer on a new connection."""
        with contextlib.closing(self.connection()) as connection:
            content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            connection.request(method, path, content, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = "json" in (answer.getheader("Content-Type") or "") and text
            return answer.status, json.loads(text) if is_json else text

    def raw(self, data: bytes) -> bytes:
        """What the server answers to bytes, until it closes the connection."""
        with socket.create_connection((self.host, self.port), timeout=30) as client:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            parts = []
            while part := client.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def classify(self, model: str, texts: list[str], **options: Any) -> list[dict[str, Any]]:
        """The results for texts."""
        status, answer = self.ask("POST", f"/v1/models/{model}/classify", {"texts": texts, **options})
        assert status == 200, answer
        return answer["results"]

    def stop(self) -> int:
        """Ends the server; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._reader.join(10)
        return code


@contextlib.contextmanager
def serving(*words: Any, program: str = "fastformer-run") -> Iterator[Server]:
    """A server for the time of a test; checks that it ends well."""
    server = Server(list(words), program)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            assert server.stop() == 0
        assert server.process.returncode == 0
