"""The servers as programs: what clients see, and what happens when they misbehave."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest
from serving import BIN, Server, serving

_TEXTS = ["a rocket to the moon", "soup", "", "unknown words", "fresh bread and a rocket"]


def test_answers_equal_those_of_the_program(server: Server, classifier: pathlib.Path) -> None:
    lines = subprocess.run([BIN / "fastformer-run", "classify", classifier, "--top-k", "2"], text=True,
                           input="\n".join(_TEXTS), capture_output=True, check=True).stdout.splitlines()
    results = server.classify("topics", _TEXTS)
    assert len(results) == len(_TEXTS)
    for line, result in zip(lines, results, strict=True):
        cells = line.split("\t")
        assert result["label"] == cells[0]
        found = [part for one in result["probabilities"] for part in (one["label"], f"{one['probability']:.4f}")]
        assert found == cells[:4]


def test_requests_at_the_same_time_get_their_own_answers(server: Server) -> None:
    texts = [f"{text} {i}" for i in range(60) for text in _TEXTS]
    expected = [server.classify("topics", [text])[0] for text in texts[:25]]
    with concurrent.futures.ThreadPoolExecutor(25) as pool:
        together = list(pool.map(lambda text: server.classify("topics", [text])[0], texts))
    assert together[:25] == expected
    assert together == server.classify("topics", texts)


def test_explanations_and_vectors(server: Server) -> None:
    (result,) = server.classify("topics", ["soup and bread"], explain=True)
    assert [token["token"] for token in result["tokens"]] == ["soup", "and", "bread"]
    assert abs(sum(token["pooling"] for token in result["tokens"]) - 1) < 1e-5
    assert len(result["tokens"][0]["layers"]) == 2
    assert [one["label"] for one in result["probabilities"]] == ["food", "space"]
    assert result["ngrams"]
    status, answer = server.ask("POST", "/v1/models/topics/embed", {"texts": ["soup", "moon"]})
    assert (status, [len(vector) for vector in answer["results"]]) == (200, [16, 16])


def test_describes_its_models(server: Server) -> None:
    status, answer = server.ask("GET", "/v1/models")
    assert status == 200
    (model,) = answer["models"]
    assert (model["name"], model["kind"], model["labels"]) == ("topics", "classifier", ["food", "space"])
    assert server.ask("GET", "/v1/models/topics") == (200, model)


def test_problems_have_one_sentence(server: Server) -> None:
    path = "/v1/models/topics/classify"
    for body, words in ((b"{", "not valid JSON"), (b"[]", "JSON object"), ({}, "texts is missing"),
                        ({"texts": [1]}, "texts[0]"), ({"texts": ["a"], "topk": 1}, "'topk'"),
                        (b'{"texts":["\xff"]}', "not valid JSON"), (b'{"texts":["\\ud800"]}', "not valid JSON"),
                        (b"[" * 100_000, "levels deep")):
        status, problem = server.ask("POST", path, body)
        assert status == 400, problem
        assert problem["status"] == 400
        assert problem["title"] == "Bad Request"
        assert words in problem["detail"], problem
        assert "\n" not in problem["detail"]
    assert server.ask("POST", path, {"texts": ["x" * 1_000_001]})[0] == 413
    assert server.ask("POST", path, {"texts": ["x"] * 1025})[0] == 413
    assert server.ask("POST", path, {"texts": ["x"]}, {"Content-Type": "text/plain"})[0] == 415
    assert server.ask("POST", "/v1/models/other/classify", {})[0] == 404
    assert server.ask("DELETE", "/v1/models", None)[0] == 405


def test_broken_http_gets_a_problem_and_the_end(server: Server) -> None:
    for data, status in ((b"nonsense\r\n\r\n", b"400"), (b"GET / HTTP/9.9\r\n\r\n", b"400"),
                         (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
                         (b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", b"431"),
                         (b"POST /x HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n", b"413"),
                         (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400")):
        answer = server.raw(data)
        assert answer.startswith(b"HTTP/1.1 " + status), (data[:40], answer[:100])
        assert b"application/problem+json" in answer
    assert server.raw(b"") == b""
    assert server.raw(b"GET /healthz HTTP/1.1\r\nHo") == b""


def test_requests_follow_each_other_on_a_connection(server: Server) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert server.raw(request * 3).count(b'{"status":"ok"}') == 3
    head = server.raw(request.replace(b"GET", b"HEAD"))
    assert b"Content-Length: 15" in head
    assert not head.endswith(b"}")
    with socket.create_connection((server.host, server.port), timeout=30) as client:
        client.sendall(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        while client.recv(65536):  # HTTP/1.0 ends the connection
            pass


def test_a_large_body_is_refused_while_it_is_sent(server: Server) -> None:
    with contextlib.closing(server.connection()) as connection:
        connection.putrequest("POST", "/v1/models/topics/classify")
        connection.putheader("Content-Length", "100000000")
        connection.endheaders()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(100):
                connection.send(b" " * 1_000_000)
        assert connection.getresponse().status == 413


def test_metrics_count_what_was_answered(classifier: pathlib.Path) -> None:
    with serving(classifier) as server:
        server.classify("topics", ["soup and bread", "moon"])
        server.ask("POST", "/v1/models/topics/classify", {})
        _, text = server.ask("GET", "/metrics")
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    of = {"model": "topics", "operation": "classify"}
    labels = ",".join(f'{name}="{value}"' for name, value in of.items())
    assert float(lines[f"fastformer_inputs_total{{{labels}}}"]) == 2
    assert float(lines[f"fastformer_tokens_total{{{labels}}}"]) == 4
    assert float(lines['fastformer_requests_total{operation="classify",status="200"}']) == 1
    assert float(lines['fastformer_requests_total{operation="classify",status="400"}']) == 1
    assert float(lines["fastformer_queue_requests"]) == 0
    assert float(lines['fastformer_request_seconds_count{operation="classify"}']) == 2


def test_a_full_queue_says_when_to_come_again(classifier: pathlib.Path) -> None:
    body = json.dumps({"texts": ["moon " * 150_000] * 8}).encode()
    with serving(classifier, "--queue", "1", "--workers", "1", "--batch-tokens", "1") as server:
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            def status(_: int) -> tuple[int, str | None]:
                with contextlib.closing(server.connection()) as one:
                    one.request("POST", "/v1/models/topics/classify", body, {"Content-Type": "application/json"})
                    answer = one.getresponse()
                    return answer.status, answer.getheader("Retry-After")
            answers = list(pool.map(status, range(12)))
        assert {answer for answer in answers if answer[0] != 200} == {(429, "1")}
        assert (200, None) in answers
        assert len(server.classify("topics", ["moon"])) == 1


def test_clients_that_stop_talking_are_left(classifier: pathlib.Path) -> None:
    begun = time.monotonic()
    with serving(classifier, "--header-time", "1", "--body-time", "1", "--idle-time", "1") as server:
        starts = [b"GET / HT", b"", b"POST /v1/models/topics/classify HTTP/1.1\r\nHost: localhost\r\n"
                  b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"]
        slow = [socket.create_connection((server.host, server.port), timeout=30) for _ in range(90)]
        for i, client in enumerate(slow):
            client.sendall(starts[i % 3])
        assert server.classify("topics", ["moon"])[0]["label"] == "space"
        for client in slow:
            assert client.recv(1000) == b""
            client.close()
    assert time.monotonic() - begun < 20


def test_more_connections_than_allowed_wait(classifier: pathlib.Path) -> None:
    with serving(classifier, "--max-connections", "2") as server:
        open_ones = [server.connection() for _ in range(3)]
        for one in open_ones:
            one.connect()
        for one in open_ones:
            one.request("GET", "/healthz")
        assert open_ones[0].getresponse().status == 200
        open_ones[2].sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            open_ones[2].sock.recv(1, socket.MSG_PEEK)
        open_ones[2].sock.settimeout(30)
        open_ones[0].close()
        assert open_ones[2].getresponse().status == 200
        for one in open_ones:
            one.close()


def test_sigterm_answers_what_was_accepted(classifier: pathlib.Path) -> None:
    body = json.dumps({"texts": ["moon " * 190_000] * 8}).encode()
    with serving(classifier, "--workers", "1") as server:
        idle = server.connection()
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        with contextlib.closing(server.connection()) as busy:
            busy.request("POST", "/v1/models/topics/classify", body, {"Content-Type": "application/json"})
            time.sleep(0.1)
            server.process.send_signal(signal.SIGTERM)
            answer = busy.getresponse()
            assert (answer.status, len(json.load(answer)["results"])) == (200, 8)
            assert answer.getheader("Connection") == "close"
        assert server.process.wait(30) == 0
        idle.close()


def test_the_drain_ends(classifier: pathlib.Path) -> None:
    """A second SIGTERM, or --drain-time, ends a server whose requests take too long."""
    body = json.dumps({"texts": ["moon " * 190_000] * 8}).encode()
    for twice in (False, True):
        words = [classifier, "--workers", "1", "--batch-tokens", "1", "--drain-time", "1" if not twice else "60"]
        server = Server(words)
        clients = [server.connection() for _ in range(40)]
        for client in clients:
            client.request("POST", "/v1/models/topics/classify", body, {"Content-Type": "application/json"})
        time.sleep(0.3)
        begun = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        if twice:
            time.sleep(0.2)
            server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(30)
        assert code == (0 if all(answered(client) for client in clients) else 1)
        assert time.monotonic() - begun < 15
        for client in clients:
            client.close()


def answered(client) -> bool:
    """Whether there is an answer."""
    try:
        return client.getresponse().status == 200
    except OSError:
        return False


def test_who_calls_is_judged_before_the_body(server: Server) -> None:
    head = (b"POST /v1/models/topics/classify HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
    assert server.raw(head).startswith(b"HTTP/1.1 421")
    assert server.raw(head.replace(b"evil.example", b"localhost")).startswith(b"HTTP/1.1 100")
    endless = b"POST /v1/models/topics/classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" \
              b"Transfer-Encoding: chunked\r\n\r\n1;" + b"a" * 1_000_000
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        assert server.raw(endless).startswith(b"HTTP/1.1 400")


def test_reload(classifier: pathlib.Path, tmp_path: pathlib.Path) -> None:
    model = tmp_path / "copy"
    shutil.copytree(classifier, model)
    with serving(f"m={model}") as server:
        before = server.classify("m", _TEXTS)
        assert server.ask("POST", "/v1/models/m/reload") == (200, {"model": "m", "status": "loaded"})
        weights = model / "model.safetensors"
        whole = weights.read_bytes()
        weights.unlink()
        weights.write_bytes(whole[:-1])
        status, problem = server.ask("POST", "/v1/models/m/reload")
        assert status == 409
        assert "cannot be reloaded" in problem["detail"]
        assert server.classify("m", _TEXTS) == before
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while sum("model.safetensors" in line for line in server.log) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert sum("model.safetensors" in line for line in server.log) == 2
        assert server.classify("m", _TEXTS) == before


def test_wrong_arguments_are_one_sentence(classifier: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for words, said in ((["none"], "none"), ([f"a/b={classifier}"], "URL"), ([classifier, classifier], "two models"),
                            ([classifier, "--port", port], "cannot listen"), ([classifier, "--address", "x"], "IP address"),
                            ([classifier, "--access-log", tmp_path / "no" / "log"], "access log")):
            ended = subprocess.run([BIN / "fastformer-run", "serve", *words], text=True, capture_output=True, check=False,
                                   timeout=60)
            assert ended.returncode == 1
            last = ended.stderr.splitlines()[-1]
            assert last.startswith("fastformer-run: ")
            assert said in last
    assert subprocess.run([BIN / "fastformer-run", "serve"], capture_output=True, check=False).returncode == 2


def test_all_tasks(classifier: pathlib.Path, recommender: tuple[pathlib.Path, pathlib.Path],
                   summarizer: pathlib.Path) -> None:
    model, items = recommender
    with serving(classifier, model, summarizer, "--items", f"packages={items}", program="fastformer") as server:
        _, answer = server.ask("GET", "/v1/models")
        assert [one["kind"] for one in answer["models"]] == ["classifier", "recommender", "summarizer"]
        assert server.classify("topics", ["moon"])[0]["label"] == "space"

        users = [{"history": ["red1", "red2", "nothing"]}, {"history": []}, {"history": ["blue1"],
                                                                         "candidates": ["blue2", "red5"]}]
        status, answer = server.ask("POST", "/v1/models/packages/recommend",
                                    {"users": users, "top_k": 3, "explain": True})
        assert status == 200
        first, cold, chosen = answer["results"]
        assert len(first["items"]) == 3
        assert first["unknown"] == ["nothing"]
        assert {click["id"] for click in first["items"][0]["clicks"]} == {"red1", "red2"}
        assert cold["cold"]
        assert {item["id"] for item in chosen["items"]} == {"blue2", "red5"}
        status, problem = server.ask("POST", "/v1/models/packages/recommend", {"users": [{"history": [1]}]})
        assert (status, "users[0].history[0]" in problem["detail"]) == (400, True)

        document = "the old captain sails the fast ship over the calm sea ."
        path = "/v1/models/stories/summarize"
        greedy = {"texts": [document], "search": {"method": "greedy"}, "explain": True}
        status, answer = server.ask("POST", path, greedy)
        assert status == 200
        status, stream = server.ask("POST", path, {"texts": [document], "explain": True},
                                    {"Accept": "text/event-stream"})
        assert status == 200
        events = [part.split("\n") for part in stream.strip().split("\n\n")]
        assert events[-1][0] == "event: done"
        assert json.loads(events[-1][1].removeprefix("data: ")) == answer
        pieces = [json.loads(lines[0].removeprefix("data: "))["text"] for lines in events[:-1]]
        assert "".join(pieces) == answer["results"][0]["summary"]
        body = json.dumps({"texts": [document]}).encode()
        old = server.raw(b"POST %b HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
                  b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (path.encode(), len(body)) + body)
        assert old.split(b"\r\n\r\n", 1)[1].startswith(b"data: ")
        assert b"chunked" not in old
        for body in ({"texts": [document] * 2}, {"texts": [document], "search": {"method": "beam"}},
                     {"texts": [document], "search": {"beam": 2}}):
            assert server.ask("POST", path, body, {"Accept": "text/event-stream"})[0] == 400
        huge = {"texts": [document] * 100, "search": {"method": "beam", "beams": 1000}}
        assert server.ask("POST", path, huge)[0] == 413
        huge = {"users": [{"history": ["red1"] * 50}] * 1000, "top_k": 1000, "explain": True}
        assert server.ask("POST", "/v1/models/packages/recommend", huge)[0] == 413


def test_extractive_summaries(extractive: pathlib.Path) -> None:
    document = "Üblich: The sea is calm. The ship sails.\n\nNews\n\nNothing else happened today."
    path = "/v1/models/extracts/summarize"
    with serving(extractive, program="fastformer") as server:
        _, answer = server.ask("GET", "/v1/models")
        assert answer["models"][0]["kind"] == "extractive summarizer"
        status, answer = server.ask("POST", path, {"texts": [document, ""], "explain": True,
                                                   "selection": {"sentences": 2}})
        assert status == 200
        result, empty = answer["results"]
        assert len(result["sentences"]) == 2
        assert result["summary"] == " ".join(one["text"] for one in result["sentences"])
        for one in result["document"]:
            assert document[one["begin"]:one["end"]] == one["text"]
        assert [one["kind"] for one in result["document"]].count("heading") == 1
        assert (empty["summary"], empty["sentences"]) == ("", [])
        _, answer = server.ask("POST", path, {"texts": [document], "selection": {"words": 4}})
        assert len(answer["results"][0]["summary"].split()) <= 4
        for body in ({"texts": [document], "selection": {"words": 0}},
                     {"texts": [document], "selection": {"word": 1}},
                     {"texts": [document], "search": {"beams": 1}}):
            assert server.ask("POST", path, body)[0] == 400


def test_items_are_for_recommenders(classifier: pathlib.Path,
                                    recommender: tuple[pathlib.Path, pathlib.Path]) -> None:
    model, items = recommender
    for words, said in (([classifier, "--items", items], "no items"), ([model], "--items"),
                        ([model, classifier, "--items", items], "NAME=FILE"),
                        ([model, "--items", f"other={items}"], "'other'")):
        ended = subprocess.run([BIN / "fastformer", "serve", *words], text=True, capture_output=True, check=False,
                               timeout=60)
        assert ended.returncode == 1
        assert said in ended.stderr.splitlines()[-1], ended.stderr
