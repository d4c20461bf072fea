"""How Sphinx builds these pages: `make docs`, offline, warnings as errors."""

import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

from pulse_core import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Pulse"
author = "the Pulse maintainers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "pulse_reference"]
exclude_patterns = ["_build", "_ext"]

# Markdown: a heading of level 1 to 3 can be linked to as page.md#heading.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Docstrings put names in single backticks, and types are told by the signature alone.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
add_module_names = False
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = "Pulse"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["pulse.css"]
pygments_style = "a11y-high-contrast-light"


def setup(app: Sphinx) -> None:
    """Show CSV as it is: Pygments knows no such language, and a warning is an error here."""
    app.add_lexer("csv", TextLexer)
