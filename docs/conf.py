"""How the documentation is built: `make docs`. Nothing here, and no page that comes of it, asks another host."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import orchestration_kit

project = "orchestration_kit"
author = "The orchestration_kit team"
copyright = author
version = release = orchestration_kit.__version__

extensions = [
    "sphinx.ext.autodoc",
    "myst_nb",
    "kit_pages",
    "kit_reference",
    "kit_names",
    "kit_cli",
    "kit_math",
]
exclude_patterns = ["_build", "_ext", "_static"]
templates_path: list[str] = []

# --- pages
myst_enable_extensions = ["dollarmath", "deflist", "attrs_inline", "colon_fence"]
myst_dmath_allow_digits = False  # "$0.40 and $0.50" are sums of money
myst_dmath_allow_space = False
myst_heading_anchors = 4
nb_execution_mode = "off"  # notebooks are shown as they are saved; the tests run them
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # they would come from a CDN; see _static/kit_widgets.js
nb_merge_streams = True

# --- reference
default_role = "code-or-link"
autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    "inherited-members": "BaseModel,AnyWidget,BaseException,Enum,str,dict",
}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"AnyStep": "AnyStep"}  # or each mention of it is a line of six kinds
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
toc_object_entries_show_parents = "hide"
nitpicky = True
nitpick_ignore_regex = [
    # `py:class` comes from signatures alone. What is not in the reference stays text there: types of other projects,
    # whose inventories would have to be fetched, names of aliases, and classes that nobody imports. What people write
    # in docstrings and pages is `py:exc`, `py:obj` and so on, and has to be found.
    (r"py:class", r".*"),
    (r"py:obj", r"typing\..*"),
]

# --- the look
html_theme = "furo"
pygments_style = "friendly"
pygments_dark_style = "github-dark"
html_title = f"orchestration_kit {version}"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["kit.css"]
html_js_files = [("kit_widgets.js", {"defer": "defer"})]
html_math_renderer = "kit-mathml"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
