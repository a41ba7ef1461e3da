"""The fields and buttons beside the figures."""

from collections.abc import Callable

from bokeh.models import (
    Button,
    CheckboxButtonGroup,
    Column,
    Div,
    Row,
    Select,
    Spinner,
    TextInput,
    Toggle,
    UIElement,
)  # fmt: skip

from ..runs.run import Run
from .choice import Choice, as_text, chosen
from .jumps import ANY_PHASE, phases_of

QUANTITIES = ("state", "current", "voltage")
SPANS = (("all", "Whole run", "a"), ("epoch", "Epoch", "e"), ("sample", "Sample", "s"), ("slot", "Slot", "p"))
# The page's colours are CSS variables, which reach into the widgets.
STYLE = """
:host { color: var(--ink); font: inherit; --color: var(--ink); --disabled-color: var(--faint); }
.bk-input, .bk-btn, .bk-input-group select {
  background: var(--field) !important; color: var(--ink) !important; border-color: var(--line) !important;
  font: inherit; border-radius: 4px; text-shadow: none; box-shadow: none;
}
.bk-input option { background: var(--ground); color: var(--ink); }
.bk-btn:hover { border-color: var(--accent) !important; }
.bk-btn:focus-visible, .bk-input:focus-visible { outline: 2px solid var(--accent) !important; outline-offset: 1px; }
.bk-btn.bk-active { background: var(--accent) !important; color: var(--on-accent) !important; }
.bk-btn-group { flex-wrap: wrap; gap: 3px; }
.bk-btn-group .bk-btn { border-radius: 4px !important; border-width: 1px !important; padding: 3px 7px; }
.bk-btn { padding: 4px 6px; white-space: normal; }
.bk-input { padding: 0 8px; }
.bk-tab { color: var(--ink); }
.bk-tab.bk-active { background: var(--raised) !important; color: var(--accent) !important;
  border-color: var(--line) !important; }
label, .bk-input-group > label { color: var(--faint); font-size: 12px; white-space: normal; }
"""

# Of the texts that the server writes.
TEXTS = """
:host { color: var(--ink); font: inherit; }
.bk-clearfix { width: 100%; }
p { margin: 4px 0; font-size: 13px; }
.said { color: var(--faint); }
.failed { color: var(--failed); font-weight: 600; }
.where { font-size: 13px; margin-bottom: 6px; }
table { width: 100%; border-collapse: collapse; margin-bottom: 10px; font-size: 13px; }
caption { text-align: left; color: var(--faint); font-size: 12px; }
td { padding: 1px 0; vertical-align: top; }
td + td { text-align: right; white-space: nowrap; padding-left: 8px; font-variant-numeric: tabular-nums; }
i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
nav { font-size: 13px; margin: 6px 0; color: var(--faint); }
a { color: var(--accent); margin-left: 8px; }
summary { cursor: pointer; font-size: 13px; color: var(--faint); margin: 2px 0; }
pre { background: var(--raised); border: 1px solid var(--line); border-radius: 4px; padding: 8px; overflow-x: auto;
  font-size: 12px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; font-size: 13px; margin: 4px 2px 10px;
  padding: 8px 12px; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; }
dt { font-weight: 600; }
dd { margin: 0; color: var(--faint); }
"""


class Controls:
    """All fields and buttons.

    Parameters
    ----------
    run : Run
    choice : Choice
        What the fields begin with.
    choose : callable
        Called when a field of the choice has changed.
    ask : callable
        Called with the word of a request, as the keyboard gives them.
    go : callable
        Called with ``"epoch"``, ``"sample"`` or ``"step"`` and a number to go to.
    """

    def __init__(
        self, run: Run, choice: Choice, choose: Callable[[], None], ask: Callable[[str], None],
        go: Callable[[str, int], None],
    ) -> None:  # fmt: skip
        self._run, self._ask, self._go = run, ask, go
        channels = choice.channels
        self.banks = CheckboxButtonGroup(
            labels=list(run.banks), active=[run.banks.index(bank) for bank in channels.banks], name="banks"
        )
        self.quantities = CheckboxButtonGroup(
            labels=list(QUANTITIES), active=[QUANTITIES.index(q) for q in channels.quantities], name="quantities"
        )
        widest = max(channels.devices.values(), key=len)
        self.devices = TextInput(title="devices", value=as_text(widest), name="devices")
        self.realisations = TextInput(title="realisations", value=as_text(channels.realisations), name="realisations")
        self.weights = Toggle(label="states as weights", active=choice.weights, name="weights")
        for group in (self.banks, self.quantities, self.weights):
            group.on_change("active", lambda attr, old, new: choose())
        for field in (self.devices, self.realisations):
            field.on_change("value", lambda attr, old, new: choose())
        self.phase = Select(title="phase", options=[ANY_PHASE, *phases_of(run)], value=ANY_PHASE, name="phase")
        self.follow = Toggle(label="Follow the end", active=False, name="follow", visible=run.live)
        self.follow.on_change("active", lambda attr, old, new: ask("following"))
        banks = list(channels.banks)
        self.loop_bank = Select(title="bank", options=banks, value=banks[-1], name="loop-bank")
        self.loop_device = Select(title="device", options=["0"], value="0", name="loop-device")
        self.image_bank = Select(title="bank", options=banks, value=banks[0], name="image-bank")

    def choice(self) -> Choice:
        """What the fields say.

        Raises
        ------
        InputError
            With the field, and what it must be.
        """
        banks = [self._run.banks[k] for k in sorted(self.banks.active)]
        quantities = [QUANTITIES[k] for k in sorted(self.quantities.active)]
        fields = self.devices.value, self.realisations.value
        return chosen(self._run, banks, *fields, quantities, self.weights.active)

    def offer(self, choice: Choice) -> None:
        """Offer what is chosen to the closer looks."""
        banks = list(choice.channels.banks)
        for field in (self.loop_bank, self.image_bank):
            field.options = list(banks)
            if field.value not in banks:
                field.value = banks[-1]
        self.offer_devices(choice)

    def offer_devices(self, choice: Choice) -> None:
        """Offer the chosen devices of the bank whose loop is shown."""
        self.loop_device.options = [str(device) for device in choice.channels.devices[self.loop_bank.value]]
        if self.loop_device.value not in self.loop_device.options:
            self.loop_device.value = self.loop_device.options[0]

    def sidebar(self) -> Column:
        """Everything in its order, for the page's side."""
        return Column(
            _title("Channels"), self.banks, self.quantities, _side_by_side(self.devices, self.realisations),
            self.weights,
            _title("In view"), self._spans(), self.follow,
            _title("Go to"), self._numbers(),
            _side_by_side(self.phase, self._button("next-phase", "next", "n")),
            self._button("next-switching", "next switching event", "w"),
            self._button("next-disturb", "next read disturb", "d"),
            sizing_mode="stretch_width", stylesheets=[STYLE],
        )  # fmt: skip

    def _spans(self) -> Column:
        buttons = [self._button(word, label, key) for word, label, key in SPANS]
        return Column(_side_by_side(*buttons[:2]), _side_by_side(*buttons[2:]), sizing_mode="stretch_width")

    def _numbers(self) -> Row:
        fields = []
        limits = {"epoch": None, "sample": self._run.samples - 1, "step": None}
        for unit, high in limits.items():
            field = Spinner(title=unit, low=0, high=high, step=1, value=None, name=f"go-{unit}", width=72)
            field.on_change("value", self._going(unit, field))
            fields.append(field)
        return _side_by_side(*fields)

    def _going(self, unit: str, field: Spinner) -> Callable[[str, object, object], None]:
        def changed(attr: str, old: object, new: object) -> None:
            if isinstance(new, int | float):
                self._go(unit, int(new))
                field.value = None  # so that the same number is a change again

        return changed

    def _button(self, word: str, label: str, key: str) -> Button:
        button = Button(label=f"{label} [{key}]", name=word, sizing_mode="stretch_width", align="end")
        button.on_click(lambda: self._ask(word))
        return button


def dressed(*elements: UIElement) -> None:
    """Give elements the page's style."""
    for element in elements:
        element.stylesheets = [*element.stylesheets, STYLE]


def dress_all(root: UIElement) -> None:
    """Give an element, and all within it, the page's style."""
    dressed(*(model for model in root.references() if isinstance(model, UIElement)))


def _title(text: str) -> Div:
    return Div(text=f"<h2>{text}</h2>", stylesheets=["h2 { margin: 8px 0 0; font-size: 13px; }"])


def _side_by_side(*elements: UIElement) -> Row:
    """In equal shares of the width; a label that takes two lines has its field beside the others'."""
    for element in elements:
        element.sizing_mode, element.align, element.styles = "stretch_width", "end", {"flex": "1 1 0", "min-width": "0"}
    return Row(*elements, sizing_mode="stretch_width")
