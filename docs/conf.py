"""The documentation as a site: ``pip install '.[docs]' && sphinx-build docs site``."""

import shutil
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))
# Pages of an earlier build, whose names may be gone.
shutil.rmtree(HERE / "reference" / "generated", ignore_errors=True)

project = "memsim"
author = "the memsim authors"
project_copyright = f"2026, {author}"
version = release = version_of("memsim")

extensions = [
    "command_examples",
    "field_tables",
    "parameter_tables",
    "repository_links",
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
]
templates_path = ["_templates"]
exclude_patterns = ["README.md"]  # what a forge shows of the folder

# Pages.
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
smartquotes_action = "qe"  # quotes and dots; of an option's two dashes they would make one
nitpicky = True
# Docstrings name inner modules too, which have no page, and other libraries, whose pages lie elsewhere.
nitpick_ignore_regex = [
    ("py:.*", r"memsim\.(analysis|driving|hysteresis|kernels|runs|traces)\..*"),
    ("py:.*", r"(pandas|sklearn|xarray)\..*"),
    ("py:obj", r"run_"),
]
linkcheck_timeout = 20

# Notebooks.
nb_execution_mode = "auto"
nb_output_stderr = "remove"
nb_execution_timeout = 180
nb_execution_raise_on_error = True
nb_execution_in_temp = True

# The Python reference.
autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_default_options = {"exclude-members": "set_fit_request, set_partial_fit_request, set_score_request"}
autodoc_typehints = "none"
numpydoc_show_class_members = False

# Looks.
html_theme = "pydata_sphinx_theme"
html_title = f"memsim {release}"
html_static_path = ["_static"]
html_css_files = ["memsim.css"]
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "start", "tour", "gallery", "glossary")}
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}
