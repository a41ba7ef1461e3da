"""The tables of settings in the pages: written from the fields, one for each section, with words for each field."""

import pkgutil
import re
import typing

import pytest
from field_words import as_toml, words_of
from pages import PAGES, sections_of
from places import ROOT

import memsim
from memsim.configuration import ImperfectionsSection, PeripherySection
from memsim.configuration.network_sections import KINDS, MultilayerSection, NetworkSection
from memsim.configuration.sections import (
    Configuration,
    DataSection,
    DevicesSection,
    LayerDevices,
    LearningSection,
    RunSection,
    Timing,
    TraceSection,
    WriteEncoding,
)
from memsim.devices import CarrierMemristor, Device, Node, PerceptronMemristor, Synapse, ThresholdMemristor
from memsim.driving.drive_configuration import DriveConfiguration, DriveEntry
from memsim.driving.waveforms import Csv, Pulse, Sampled, Sinusoid, Waveform
from memsim.fields import Settings, facts_of
from memsim.hysteresis.loop_configuration import LoopsConfiguration, LoopsSection
from memsim.imperfections import BankImperfections
from memsim.sweeping.sweep_configuration import Range, SweepConfiguration


def directives(name: str) -> list[tuple[str, list[str]]]:
    """What the directives of a name are given in all pages, and what they leave out."""
    pattern = rf"^```\{{{name}\}} (\S+)\n(?::leave-out: (.*)\n)?```$"
    found = [match for page in PAGES for match in re.findall(pattern, page.read_text("utf-8"), flags=re.MULTILINE)]
    return [(argument, left_out.split()) for argument, left_out in found]


def types_within(annotation: object) -> set[object]:
    """The types that an annotation is made of."""
    return {annotation}.union(*map(types_within, typing.get_args(annotation)))


def sections_within(model: type[Settings]) -> set[type[Settings]]:
    """The sections of a configuration, and those in them."""
    below = {kind for field in model.model_fields.values() for kind in types_within(field.annotation)}
    sections = {kind for kind in below if isinstance(kind, type) and issubclass(kind, Settings)}
    return sections.union(*map(sections_within, sections))


def test_every_section_has_one_table_of_all_its_fields():
    roots = (Configuration, DriveConfiguration, LoopsConfiguration, SweepConfiguration)
    expected = set().union(*map(sections_within, roots)) | {Synapse, Node, ThresholdMemristor, CarrierMemristor, Range}
    # Sections of sections alone, a union's base, and entries that the pages show as TOML.
    expected -= {ImperfectionsSection, PeripherySection, Device, PerceptronMemristor, DriveEntry, Waveform}
    expected |= {Pulse, Sinusoid, Sampled, Csv}
    expected -= {Configuration}
    shown = {pkgutil.resolve_name(":".join(name.rsplit(".", 1))): left for name, left in directives("fields")}
    assert len(shown) == len(directives("fields"))
    assert set(shown) == expected | {NetworkSection, *KINDS.values()}
    for model, left_out in shown.items():
        elsewhere = {*NetworkSection.model_fields} if issubclass(model, NetworkSection) else set()
        elsewhere |= {"synapse", "node", "memristor"} if model is DevicesSection else set()
        elsewhere |= {"waveform"} if issubclass(model, Waveform) and model is not Pulse else set()
        assert set(left_out) == (elsewhere if model is not NetworkSection else set()), model


def test_every_model_of_the_library_has_its_table_under_its_name():
    papers = {"synapse", "node", "threshold-memristor", "carrier-memristor"}
    assert {name for name, _ in directives("device")} == set(memsim.devices.MODELS) - papers
    sections = sections_of(ROOT / "docs" / "devices.md")
    for name, _ in directives("device"):
        assert f"```{{device}} {name}\n```" in sections[f"`{name}`"]


def test_every_field_of_a_table_says_what_it_is():
    models = [pkgutil.resolve_name(":".join(name.rsplit(".", 1))) for name, _ in directives("fields")]
    for model in {*models, *memsim.devices.MODELS.values()}:
        for name, field in model.model_fields.items():
            assert field.description or name in ("kind", "model", "waveform", *DevicesSection.model_fields), (
                model,
                name,
            )


@pytest.mark.parametrize(
    ("model", "name", "facts"),
    [
        (Timing, "dt", ((), "> 0", "s", "step, from 1e-30 to 1e30", "")),
        (Timing, "gap_steps", ((), ">= 0, < 2^31", "", "idle steps after each slot (0)", "")),
        (LearningSection, "decay", ((), "> 0, <= 1", "1", None, "")),
        (RunSection, "seed", ((), ">= 0, < 2^63", "", None, "")),
        (MultilayerSection, "layers", ((), "length >= 2", "", None, "")),
        (WriteEncoding, "encoding", (("amplitude", "width", "count"), "", "", "what carries the size", "")),
        (DevicesSection, "node_integrator", (("euler", "heun"), "", "", None, "")),
        (TraceSection, "quantities", (("state", "current", "voltage"), "", "", None, "")),
        (Node, "equation", ((10, 12), "", "", None, "")),
        (
            memsim.devices.Vteam,
            "k_on",
            ((), "< 0", "m/s", None, "common in public models of VTEAM, not checked against a paper"),
        ),
    ],
)
def test_a_fields_facts_are_those_of_its_declaration(model, name, facts):
    found = facts_of(model.model_fields[name])
    for one, other in zip(found, facts, strict=True):
        assert other is None or one == other


@pytest.mark.parametrize(
    ("model", "name", "taken", "default"),
    [
        (Timing, "dt", "number", "0.00025"),
        (RunSection, "seeds", "list of whole numbers", "[]"),
        (NetworkSection, "constant_input", "true, false", "false"),
        (MultilayerSection, "layers", "list of whole numbers", "[2, 2, 1]"),
        (DataSection, "input_range", "pair of numbers", "[0, 1]"),
        (DataSection, "inputs", "list of texts", "[]"),
        (TraceSection, "epochs", "list of pairs", "[]"),
        (TraceSection, "quantities", "list of", "[]"),
        (WriteEncoding, "encoding", "", '"amplitude"'),
        (LayerDevices, "synapse", "table", "None"),
        (BankImperfections, "spread", "table", "{}"),
        (LoopsSection, "path", "path", "None"),
    ],
)
def test_what_a_field_takes_is_said_in_words(model, name, taken, default):
    field = model.model_fields[name]
    assert words_of(field.annotation) == taken
    assert as_toml(field.default) == default
    pulses = as_toml(LoopsSection.model_fields["pulses"].default)
    assert pulses.startswith("[{start = 0, width = 0.25, amplitude = 1}, ")
