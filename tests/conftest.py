"""Where FASTFORMER_STRICT_TESTS is set, as in .ci/run, only a test without its data may be skipped."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport() -> Generator[None, "pytest.CallInfo[None]", None]:
    """Makes a failure of a skip, unless its reason names a folder of local data."""
    outcome = yield
    report = outcome.get_result()
    if not report.skipped or not os.environ.get("FASTFORMER_STRICT_TESTS"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if "local/" not in reason:
        report.outcome, report.longrepr = "failed", reason
