"""Who may call a server, and what others can see of it."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import stat
import subprocess

from serving import BIN, Server, serving


def test_other_hosts_and_origins_are_refused(server: Server) -> None:
    for headers, status in (({"Host": "evil.example"}, 421), ({"Origin": "https://evil.example"}, 403),
                            ({"Origin": "null"}, 403), ({"Origin": server.url}, 200)):
        assert server.ask("GET", "/v1/models", None, headers)[0] == status, headers
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert server.ask("OPTIONS", "/v1/models/topics/classify", None, preflight)[0] == 403
    assert server.ask("POST", "/v1/models/topics/classify", b"", {"Content-Encoding": "gzip"})[0] == 415
    assert server.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_an_allowed_origin_may_call(classifier: pathlib.Path) -> None:
    origin = "https://app.example"
    with serving(classifier, "--allow-origin", origin) as server, contextlib.closing(server.connection()) as one:
        one.request("OPTIONS", "/v1/models/topics/classify", headers={"Origin": origin})
        answer = one.getresponse()
        answer.read()
        assert (answer.status, answer.getheader("Access-Control-Allow-Origin")) == (204, origin)
        one.request("GET", "/v1/models", headers={"Origin": origin})
        assert one.getresponse().getheader("Access-Control-Allow-Origin") == origin


def test_tokens(classifier: pathlib.Path, tmp_path: pathlib.Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-this-server\n")
    refused = subprocess.run([BIN / "fastformer-run", "serve", classifier, "--token-file", tokens], text=True,
                             capture_output=True, check=False)
    assert refused.returncode == 1
    assert "chmod 600" in refused.stderr
    tokens.chmod(0o600)
    with serving(classifier, "--token-file", tokens) as server:
        for path in ("/v1/models", "/metrics"):
            assert server.ask("GET", path)[0] == 401
            assert server.ask("GET", path, None, {"Authorization": "Bearer a-token-of-this-serve"})[0] == 401
            assert server.ask("GET", path, None, {"Authorization": "Bearer a-token-of-this-server"})[0] == 200
        assert server.ask("POST", "/v1/models/topics/reload")[0] == 401
        assert {server.ask("GET", path)[0] for path in ("/", "/app.js", "/healthz", "/openapi.json")} == {200}


def test_the_access_log_is_private_and_has_no_texts(classifier: pathlib.Path, tmp_path: pathlib.Path) -> None:
    log = tmp_path / "access.jsonl"
    with serving(classifier, "--access-log", log) as server:
        server.classify("topics", ["a secret", "text"])
        server.ask("GET", "/none?text=secret")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "secret" not in log.read_text()
    first, second = map(json.loads, log.read_text().splitlines())
    assert (first["method"], first["path"], first["status"]) == ("POST", "/v1/models/topics/classify", 200)
    assert (first["inputs"], first["remote"]) == (2, "127.0.0.1")
    assert first["bytes_out"] > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert (second["path"], second["status"]) == ("/none", 404)


def test_files_of_a_server_are_not_for_others(server: Server) -> None:
    """It opens no file, socket or shared memory that another user could read."""
    folder = pathlib.Path(f"/proc/{server.process.pid}/fd")
    opened = {os.readlink(entry) for entry in folder.iterdir() if int(entry.name) > 2}
    assert not {target for target in opened if not target.startswith(("socket:", "anon_inode:", "pipe:"))}
