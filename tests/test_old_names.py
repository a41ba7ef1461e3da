"""Modules and functions are found under the names that they had before."""

import importlib
import sys
import warnings

import pytest

import memsim
from memsim import analysis
from memsim._old_names import MOVED, PUBLIC, home_of


@pytest.fixture
def imported_anew(monkeypatch):
    """Import a module as if nobody had."""

    def call(name):
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return call


@pytest.mark.parametrize("name", [*MOVED, "own.loading", "program.making", "inspection.export.spice.writing"])
def test_a_module_that_moved_is_found_with_a_word_on_where_it_is(imported_anew, name):
    home = importlib.import_module(f"memsim.{home_of(name)}")
    for package in (name.rpartition(".")[0], name.split(".")[0]):
        if package:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                importlib.import_module(f"memsim.{package}")
    with pytest.warns(DeprecationWarning, match=rf"^memsim\.{name} has moved to {home.__name__}$"):
        old = imported_anew(f"memsim.{name}")
    public = [each for each in dir(home) if not each.startswith("_")]
    assert public or name in MOVED
    for each in public:
        assert getattr(old, each) is getattr(home, each)
    assert dir(old) == dir(home)


@pytest.mark.parametrize("name", PUBLIC)
def test_modules_of_the_api_have_no_warning(imported_anew, name):
    assert dir(imported_anew(f"memsim.{name}")) == dir(getattr(memsim, name))


def test_memsim_run_is_the_function_and_no_module_any_more():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("memsim.run")
    with pytest.raises(memsim.errors.InputError, match=r"^config: must be the path of a file \(got 3\)$"):
        memsim.run(3)


@pytest.mark.parametrize(("old", "new"), analysis.RENAMED.items())
def test_what_was_renamed_is_found_with_a_word_on_its_name(old, new):
    with pytest.warns(DeprecationWarning, match=rf"^memsim\.analysis\.{old} is called {new} now$") as warned:
        assert getattr(analysis, old) is getattr(analysis, new)
    assert warned[0].filename == __file__
    assert old not in dir(analysis)


def test_what_never_was_is_not_found():
    with pytest.raises(AttributeError, match=r"^module 'memsim.analysis' has no attribute 'nothing'$"):
        _ = analysis.nothing
    for name in ("memsim.nothing", "memsim.own.nothing", "nothing"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)
