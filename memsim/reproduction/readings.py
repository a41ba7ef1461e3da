"""Where the paper's equations cannot be taken literally: both readings, to be run side by side."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..datasets import Dataset

PRINTED = {"direction": "printed"}


@dataclass(frozen=True, eq=False)
class Reading:
    """Another reading of an equation.

    Attributes
    ----------
    equation : str
    text : str
        What the other reading does.
    network : {"SLP", "MLP"}
    gates : tuple of str
    changes : mapping
        Sections and fields of the configuration.
    coding : str
        ``"bipolar"``: inputs of -1 and 1; empty: 0 and 1.
    both : mapping
        Changes that the corrected run gets as well, where the figures' settings
        would hide the difference.
    """

    equation: str
    text: str
    network: str
    gates: tuple[str, ...]
    changes: Mapping[str, Any]
    coding: str = ""
    both: Mapping[str, Any] = field(default_factory=dict)

    def base(self, gate: str) -> str:
        """Name of the corrected run that this reading is compared with."""
        named = self.coding or (self.equation.removesuffix(" as printed") if self.both else "")
        return f"{self.network} {gate} {named}".strip()

    @property
    def figure(self) -> set[int]:
        """The figure that the reading belongs to."""
        return {3} if self.network == "SLP" else {4}

    def recode(self, data: Dataset) -> Dataset:
        """The data set in the reading's coding."""
        if not self.coding:
            return data
        return Dataset(2.0 * data.inputs - 1.0, data.targets, f"{data.name} (bipolar)")


ALL = ("OR", "AND", "XOR")
LEARNABLE = ("OR", "AND")  # by a single layer

READINGS = (
    Reading(
        "Eq. 6 as printed",
        "on the negative side the distance beyond the threshold is -abs(Δ) - 2 I_γ",
        "SLP",
        LEARNABLE,
        {"devices": {"memristor": PRINTED}},
    ),
    Reading(
        "sign of I_b as printed",
        "I_b takes the sign of Δ, not of Δ x_i g'; it shows with negative inputs",
        "SLP",
        LEARNABLE,
        {"learning": {"bias_current": "printed"}},
        coding="bipolar",
    ),
    Reading(
        "Eqs. 11 and 15 as printed",
        "γ can only grow: weights and biases cannot shrink, and a RESTORE does nothing",
        "MLP",
        ALL,
        {"devices": {"synapse": PRINTED, "node": PRINTED}},
    ),
    Reading(
        "Eq. 16 as printed",
        "the output's gradient has T_k in the place of T_k - V_k",
        "MLP",
        ALL,
        {"learning": {"output_gradient": "printed"}},
    ),
    Reading(
        "Eq. 18 as printed",
        "the bias weight learns by η δ_k, which is right for an additive bias (both with bias weights within ±0.9: "
        "the figures' narrow limits hide the difference)",
        "MLP",
        ALL,
        {"learning": {"bias_rule": "printed"}},
        both={"network": {"bias_limit": 0.9, "initial_bias": 0.1}},
    ),
    Reading(
        "Eq. 12 for Eq. 10",
        "the output with R_ON dropped",
        "MLP",
        ALL,
        {"devices": {"node": {"equation": 12}}},
    ),
)
