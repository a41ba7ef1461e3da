# A device model of one's own (docs/extending.md): linear ion drift with Joglekar's window for p = 1.
#   memsim devices --models examples/my_device.py my-drift
from memsim import device_model, parameter, state


@device_model("my-drift", source="Joglekar and Wolf, arXiv:0807.3994")
class MyDrift:
    """Linear ion drift with Joglekar's window, p = 1."""

    doped = state("1", 0.0, 1.0, "doped share of the film")
    r_on = parameter(100.0, "ohm", "memristance of the doped film", gt=0)
    r_off = parameter(10e3, "ohm", "memristance of the undoped film", gt=0)
    speed = parameter(1e4, "1/(A s)", "drift coefficient k", gt=0)

    def drift(doped, current, speed):
        return speed * current * (1.0 - (2.0 * doped - 1.0) ** 2)

    def memristance(doped, r_on, r_off):
        return r_off - (r_off - r_on) * doped
