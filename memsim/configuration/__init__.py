"""The configuration of a run: every setting, its unit, its bounds and its default."""

from .imperfections import BankImperfections, BankPeriphery, ImperfectionsSection, PeripherySection
from .network_sections import MultilayerSection, NetworkSection, SingleLayerSection
from .sections import (
    Configuration,
    DataSection,
    DevicesSection,
    LayerDevices,
    LearningSection,
    RunSection,
    Timing,
    TraceSection,
    WriteEncoding,
    load_configuration,
)

__all__ = [
    "BankImperfections", "BankPeriphery", "Configuration", "DataSection", "DevicesSection", "ImperfectionsSection",
    "LayerDevices", "LearningSection", "MultilayerSection", "NetworkSection", "PeripherySection", "RunSection",
    "SingleLayerSection", "Timing", "TraceSection", "WriteEncoding", "load_configuration",
]  # fmt: skip
