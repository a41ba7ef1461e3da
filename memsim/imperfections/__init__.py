"""Imperfections of devices and periphery: their settings, and what is drawn of them before a run."""

from ..configuration.imperfections import BankImperfections, BankPeriphery, ImperfectionsSection, PeripherySection

__all__ = ["BankImperfections", "BankPeriphery", "ImperfectionsSection", "PeripherySection"]
