"""The documentation site; scripts/site builds it."""

import pathlib
import re

project = "fastformer"
_root = pathlib.Path(__file__).resolve().parent.parent
release = re.search(r"project\(fastformer VERSION ([\d.]+)", (_root / "CMakeLists.txt").read_text(encoding="utf-8"))[1]

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["study/data/README.md"]
html_theme = "furo"
html_title = f"fastformer {release}"
html_show_sphinx = False
html_show_copyright = False

myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_timeout = 600
nb_execution_raise_on_error = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "special-members": "__call__"}
napoleon_google_docstring = True
napoleon_numpy_docstring = False


def _say_code(_app: object, _what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Docstrings name code in `single backquotes`; reStructuredText wants two."""
    for i, line in enumerate(lines):
        lines[i] = re.sub(r"(?<![`:])`([^`]+)`(?!`)", r"``\1``", line)


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _say_code)
