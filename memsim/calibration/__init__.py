"""What the controller knows of each bank: currents, thresholds and windows, chosen once for a problem."""

from .bank import BankCalibration

__all__ = ["BankCalibration"]
