"""Chromium without a window, for the tests and the pictures of the page."""

from __future__ import annotations

import pathlib
import shutil

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


def start_chrome(downloads: pathlib.Path | None = None) -> Chrome:
    """A browser that saves files in `downloads`; the caller quits it."""
    options = ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,1000",
                     "--hide-scrollbars"):
        options.add_argument(argument)
    if downloads is not None:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return Chrome(options, Service(shutil.which("chromedriver")))


def prefer_scheme(page: Chrome, scheme: str) -> None:
    """As a person who prefers "light" or "dark"; empty: no preference."""
    features = [{"name": "prefers-color-scheme", "value": scheme}] if scheme else []
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def open_page(page: Chrome, url: str) -> None:
    """Opens the page of a server and waits for its models."""
    page.get(url)
    WebDriverWait(page, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#model option"))
