"""memsim: emulate neural networks whose synapses and neurons are memristors.

Begin with a network and samples::

    network = memsim.MultilayerPerceptron([2, 3, 1])
    run = memsim.train(network, X, y, scaling="range", learning_rate=0.01, epochs=100)
    run.plot()
    memsim.evaluate(run, X).outputs

``help(memsim.train)`` has the parameters. ``memsim.sklearn`` has the same networks as estimators of scikit-learn, with
``fit``, ``predict`` and ``score``; it is imported by its name.
"""

# The public names are declared once, in __init__.pyi: checkers of types and editors read it as it is, and this module
# finds the home of a name in it. They load on first use, so that `import memsim` costs nothing.

import ast
import functools
import importlib
import sys
from pathlib import Path
from typing import Any

from ._old_names import FINDER, PUBLIC

if __name__ != "memsim":
    raise ImportError(f"memsim was loaded as {__name__!r}; import it as 'memsim'")

if FINDER not in sys.meta_path:
    sys.meta_path.append(FINDER)


_OF_SKLEARN = ("sklearn", "MemristorMLPClassifier", "MemristorMLPRegressor", "MemristorPerceptronClassifier")


@functools.cache
def _homes() -> dict[str, str]:
    """Each public name with the module that it is in; of a module of the package with nothing."""
    tree = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in imports for alias in node.names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("memsim")
    if name == "__all__":
        return [*_homes(), "__version__"]
    if name.startswith("_") or name not in _homes():
        estimator = "; memsim.sklearn has the estimators: import memsim.sklearn" if name in _OF_SKLEARN else ""
        raise AttributeError(
            f"module 'memsim' has no attribute {name!r}{estimator}", name=name, obj=sys.modules[__name__]
        )
    home = _homes()[name]
    if not home or name in PUBLIC:
        return importlib.import_module(f".{PUBLIC.get(name, name)}", __name__)
    return getattr(importlib.import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__getattr__("__all__"))
