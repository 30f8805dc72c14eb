"""scripts/sbom writes valid SPDX 2.3 that names what the program links."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import types
from typing import Any

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_BUILD = _ROOT / "build" / "release"
_PROGRAM = _BUILD / "bin" / "fastformer"


def _script() -> types.ModuleType:
    loader = importlib.machinery.SourceFileLoader("sbom", str(_ROOT / "scripts" / "sbom"))
    spec = importlib.util.spec_from_loader("sbom", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules["sbom"] = module  # where the decorator of data classes looks for it
    loader.exec_module(module)
    return module


def test_leaves_out_the_project_and_its_build_however_they_are_written() -> None:
    dependencies = f"""fastformer/base/CMakeFiles/a.dir/a.cc.o: #deps 4, deps mtime 1 (VALID)
    {_ROOT}/fastformer/base/b.h
    {_BUILD}/CMakeFiles/a.dir/Unity/unity_0_cxx.cxx
    /usr/include/hwy/base.h
    {_ROOT}/.venv/lib/python3.11/site-packages/torch/include/torch/torch.h
    /elsewhere/build/generated.h

python/CMakeFiles/_fastformer.dir/module.cc.o: #deps 1, deps mtime 1 (VALID)
    /usr/include/python3.11/Python.h
"""
    found = _script().outside_project(dependencies, pathlib.Path("/elsewhere/build"))
    assert {path.name for path in found} == {"base.h", "torch.h"}


def test_resolves_paths_that_are_relative_to_the_build() -> None:
    torch = "../../.venv/lib/python3.11/site-packages/torch/include/c10/a.h"
    dependencies = f"""a.cc.o: #deps 3, deps mtime 1 (VALID)
    ../../fastformer/base/a.h
    {torch}
    ../../../outside/b.h
"""
    found = _script().outside_project(dependencies, _BUILD)
    assert found == sorted([_ROOT.parent / "outside" / "b.h", _BUILD.parent.parent / torch[6:]])


@pytest.fixture(scope="module", name="document")
def _document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not _PROGRAM.exists():
        pytest.skip("the program is not built")
    path = tmp_path_factory.mktemp("sbom") / "fastformer.spdx.json"
    subprocess.run(
        [str(_ROOT / "scripts" / "sbom"), "--output", str(path)],
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
    )
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_has_the_fields_that_spdx_requires(document: dict[str, Any]) -> None:
    """SPDX 2.3, sections 6 (document), 7 (packages) and 11 (relationships)."""
    assert document["spdxVersion"] == "SPDX-2.3"
    assert document["dataLicense"] == "CC0-1.0"
    assert document["SPDXID"] == "SPDXRef-DOCUMENT"
    assert document["name"].startswith("fastformer-")
    assert re.fullmatch(r"https://[^#\s]+", document["documentNamespace"])
    assert document["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    assert document["creationInfo"]["creators"][0].startswith("Tool: ")
    identifiers = [package["SPDXID"] for package in document["packages"]]
    assert len(set(identifiers)) == len(identifiers)
    for package in document["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"])
        assert package["name"] and package["versionInfo"] and package["downloadLocation"]
        assert package["filesAnalyzed"] is False
    known = {*identifiers, "SPDXRef-DOCUMENT"}
    for relation in document["relationships"]:
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= known
        assert relation["relationshipType"] in {"DESCRIBES", "DYNAMIC_LINK", "BUILD_DEPENDENCY_OF"}


def test_names_what_the_program_links(document: dict[str, Any]) -> None:
    """Those of the distribution, of PyPI and the project, with exact versions."""
    packages = {package["name"]: package for package in document["packages"]}
    for name in ("fastformer", "torch", "nlohmann-json3-dev", "libcli11-dev", "libhwy-dev"):
        assert name in packages, sorted(packages)
    for stem in ("libarchive", "libicu", "libsentencepiece", "liblinear", "libc6"):
        assert any(name.startswith(stem) for name in packages), stem
    url = packages["torch"]["externalRefs"][0]["referenceLocator"]
    assert url.startswith("pkg:pypi/torch@") and "+" not in url
    (described,) = (
        relation["relatedSpdxElement"]
        for relation in document["relationships"]
        if relation["relationshipType"] == "DESCRIBES"
    )
    assert described == packages["fastformer"]["SPDXID"]
    linked = [r for r in document["relationships"] if r["relationshipType"] == "DYNAMIC_LINK"]
    assert len(linked) > 10
