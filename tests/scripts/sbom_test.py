"""scripts/sbom writes valid SPDX 2.3 that names what the program links."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
from typing import Any

import pytest

_ROOT = pathlib.Path(__file__).parents[2]
_BUILD = _ROOT / "build" / "release"
_PROGRAM = _BUILD / "bin" / "fastformer"


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
