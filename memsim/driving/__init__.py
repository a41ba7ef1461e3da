"""Drive any device with any waveform, as a current or a voltage: ``memsim.drive`` and ``memsim drive``."""
