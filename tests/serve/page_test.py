"""The page in a real browser: what a person sees and does."""

from __future__ import annotations

import csv
import io
import pathlib
import shutil
import time
from collections.abc import Iterator

import pytest
from axe_core_python.selenium import Axe
from browser import open_page, prefer_scheme, start_chrome
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait
from serving import Server, serving

pytestmark = pytest.mark.skipif(shutil.which("chromedriver") is None,
                                reason="no browser: on Debian, scripts/setup --tests installs one")
_DOCUMENT = "the old captain sails the fast ship over the calm sea ."


@pytest.fixture(scope="module")
def server(classifier: pathlib.Path, recommender: tuple[pathlib.Path, pathlib.Path],
           summarizer: pathlib.Path, extractive: pathlib.Path) -> Iterator[Server]:
    """All tasks, and the classifier twice."""
    model, items = recommender
    with serving(classifier, f"again={classifier}", model, summarizer, extractive, "--items",
                 f"packages={items}", program="fastformer") as running:
        yield running


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Where the browser saves files."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def chrome(downloads: pathlib.Path) -> Iterator[Chrome]:
    """One browser for all tests."""
    driver = start_chrome(downloads)
    yield driver
    driver.quit()


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Chrome:
    """The page, with its models loaded."""
    prefer_scheme(chrome, "")
    chrome.set_window_size(1200, 1000)
    open_page(chrome, server.url)
    return chrome


def by_id(page: Chrome, name: str):
    return page.find_element(By.ID, name)


def choose(page: Chrome, model: str) -> None:
    Select(by_id(page, "model")).select_by_visible_text(model)


def submit(page: Chrome, form: str, said: str = "Done.") -> None:
    """Presses the button of a form and waits for its end."""
    page.find_element(By.CSS_SELECTOR, f"#{form} > button").click()
    wait_for(page, said)


def wait_for(page: Chrome, said: str) -> None:
    WebDriverWait(page, 30).until(lambda d: not by_id(d, "status").text.startswith("Working"))
    assert by_id(page, "status").text == said


def rows(page: Chrome, inside: str) -> list[list[str]]:
    return [[cell.text for cell in row.find_elements(By.TAG_NAME, "td")]
            for row in page.find_elements(By.CSS_SELECTOR, f"{inside} tbody tr")]


def test_classify_with_two_models(page: Chrome) -> None:
    Select(by_id(page, "second")).select_by_visible_text("again")
    by_id(page, "text").send_keys("fresh bread with soup")
    submit(page, "classify")
    titles = [title.text for title in page.find_elements(By.CSS_SELECTOR, "#predictions > div > h3:first-child")]
    assert titles == ["topics: food", "again: food"]
    column = page.find_elements(By.CSS_SELECTOR, "#predictions > div")[0]
    label, percent, _ = rows(page, "#predictions > div:first-child .scroll:first-of-type")[0]
    assert label == "food"
    assert float(percent.split()[0]) > 50
    tokens = column.find_elements(By.CSS_SELECTOR, ".map .token")
    assert [token.text for token in tokens] == ["fresh", "bread", "with", "soup"]
    kinds = Select(column.find_element(By.TAG_NAME, "select"))
    assert [option.text for option in kinds.options] == [
        "pooling", "alpha, layer 1", "beta, layer 1", "alpha, layer 2", "beta, layer 2"]
    before = tokens[0].get_attribute("title")
    kinds.select_by_visible_text("beta, layer 2")
    assert column.find_elements(By.CSS_SELECTOR, ".map .token")[0].get_attribute("title") != before
    assert "N-grams" in column.text


def test_classify_a_table(page: Chrome, downloads: pathlib.Path, tmp_path: pathlib.Path) -> None:
    table = [["id", "what; is it"], ["1", 'a "rocket"\nto the moon'], ["2", "soup"], ["3", ""]]
    file = tmp_path / "table.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows(table)
    by_id(page, "file").send_keys(str(file))
    WebDriverWait(page, 10).until(lambda d: by_id(d, "column").is_enabled())
    assert Select(by_id(page, "column")).first_selected_option.text == "what; is it"
    submit(page, "table", "Classified 3 rows.")
    page.find_element(By.CSS_SELECTOR, "#download a").click()
    result = downloads / "predictions.csv"
    deadline = time.monotonic() + 20
    while not result.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    answers = list(csv.reader(io.StringIO(result.read_text(encoding="utf-8"), newline="")))
    assert [row[:2] for row in answers] == table
    assert answers[0][2:] == ["predicted", "probability"]
    assert [row[2] for row in answers[1:3]] == ["space", "food"]
    assert all(0 <= float(row[3]) <= 1 for row in answers[1:])


def test_recommend(page: Chrome) -> None:
    choose(page, "packages")
    assert not by_id(page, "classifier").is_displayed()
    by_id(page, "history").send_keys("red1\nred2\nnothing")
    submit(page, "recommend", "Unknown ids were ignored: nothing.")
    found = rows(page, "#recommendations")
    assert len(found) == 10
    page.find_element(By.CSS_SELECTOR, "#recommendations summary").click()
    assert "red tool number 1" in page.find_element(By.CSS_SELECTOR, "#recommendations ul").text


def test_summarize(page: Chrome) -> None:
    choose(page, "stories")
    by_id(page, "document").send_keys(_DOCUMENT)
    submit(page, "summarize")
    words = page.find_elements(By.CSS_SELECTOR, "#summary .word")
    assert words
    words[0].click()
    assert by_id(page, "sources").text.startswith(f"{words[0].text}: ")


def test_extract(page: Chrome) -> None:
    choose(page, "extracts")
    by_id(page, "whole").send_keys("🚢 The ship sails. The sea is calm! Nothing else happened.")
    by_id(page, "limit").send_keys("1")
    submit(page, "extract")
    summary = by_id(page, "extracted").text
    marks = page.find_elements(By.CSS_SELECTOR, "#marked mark")
    assert [mark.text for mark in marks] == [summary]
    assert by_id(page, "marked").text == by_id(page, "whole").get_attribute("value")
    assert len(page.find_elements(By.CSS_SELECTOR, "#marked span")) == 2


def test_errors_are_shown(page: Chrome) -> None:
    by_id(page, "text").send_keys("x")
    page.execute_script("document.getElementById('text').value = 'x'.repeat(1000001)")
    submit(page, "classify", "Error: texts[0] has 1000001 bytes; the limit for a text is 1000000.")


def test_the_keyboard_is_enough(page: Chrome) -> None:
    by_id(page, "model").send_keys(Keys.TAB, Keys.TAB)
    active = page.switch_to.active_element
    assert active.get_attribute("id") == "text"
    active.send_keys("a rocket", Keys.TAB, Keys.ENTER)
    wait_for(page, "Done.")
    assert "space" in by_id(page, "predictions").text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_nothing_hinders_people(page: Chrome, scheme: str, width: int) -> None:
    """Axe finds no violation, and nothing is wider than the window, of any task."""
    prefer_scheme(page, scheme)
    page.set_window_size(width, 900)
    actions = {"topics": ("text", "soup and bread", "classify"), "packages": ("history", "red1", "recommend"),
               "stories": ("document", _DOCUMENT, "summarize"), "extracts": ("whole", _DOCUMENT, "extract")}
    for model, (field, text, form) in actions.items():
        choose(page, model)
        by_id(page, field).clear()
        by_id(page, field).send_keys(text)
        submit(page, form)
        found = Axe().run(page)
        assert len(found["passes"]) > 10
        violations = found["violations"]
        assert not violations, [(v["id"], v["nodes"][0]["html"]) for v in violations]
        assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
    errors = [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"]
    assert not [entry for entry in errors if "favicon" not in entry["message"] and " 413 " not in entry["message"]]


def test_a_token_is_asked_for(chrome: Chrome, classifier: pathlib.Path, tmp_path: pathlib.Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-this-server\n", encoding="utf-8")
    tokens.chmod(0o600)
    with serving(classifier, "--token-file", tokens) as locked:
        chrome.get(locked.url)
        WebDriverWait(chrome, 20).until(lambda d: by_id(d, "access").is_displayed())
        by_id(chrome, "token").send_keys("a-token-of-this-server", Keys.ENTER)
        WebDriverWait(chrome, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "#model option"))
        by_id(chrome, "text").send_keys("soup")
        submit(chrome, "classify")
        chrome.get("about:blank")
