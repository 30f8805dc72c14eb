"""The server keeps what openapi.json promises, whatever is sent."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from serving import serving

_CONFIG = '[parameters]\n"path.name" = "{name}"\n'


@pytest.mark.parametrize("task", ["classifier", "recommender", "summarizer", "extractive"])
def test_random_requests_get_what_is_described(task: str, request: pytest.FixtureRequest,
                                               tmp_path: pathlib.Path) -> None:
    model = request.getfixturevalue(task)
    model, items = model if isinstance(model, tuple) else (model, None)
    words = [f"m={model}", *(["--items", items] if items else []), "--max-text", "2KB"]
    config = tmp_path / "schemathesis.toml"
    config.write_text(_CONFIG.format(name="m"), encoding="utf-8")
    with serving(*words, program="fastformer") as server:
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", f"{server.url}/openapi.json",
             "--max-examples", "30", "--seed", "1", "--no-color", "--checks",
             "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
             "negative_data_rejection,response_headers_conformance,unsupported_method"],
            capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[:3000] + done.stderr[-2000:]
