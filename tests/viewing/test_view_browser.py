"""The page of a run in a real browser, Chromium without a screen, against the command that serves it."""

import csv
import html
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import COMPILING

import memsim
from memsim.configuration.sections import TraceSection
from memsim.runs.opening import open_run

pytest.importorskip("bokeh")
webdriver = pytest.importorskip("selenium.webdriver")
ActionChains, Keys = webdriver.ActionChains, webdriver.Keys

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="needs Debian's packages chromium and chromium-driver, or their like"
    ),
    # On a busy machine Chromium sometimes stops answering its driver; another one then has the same page to show.
    pytest.mark.flaky(reruns=2),
]
SECONDS = 60.0  # that anything may take on a busy machine
FACTORS = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "µ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
# All elements that a selector finds and that hold a text, in the shadow trees of the page too.
FIND = """
const [selector, text] = arguments, found = [];
(function search(root) {
  found.push(...[...root.querySelectorAll(selector)].filter((element) => element.textContent.includes(text)));
  for (const element of root.querySelectorAll("*")) if (element.shadowRoot) search(element.shadowRoot);
})(document);
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "xor.h5"
    data = memsim.datasets.gate("xor", samples=20)
    trace = TraceSection(mode="keyframes", keyframe_samples=40)
    memsim.train(memsim.MultilayerPerceptron(), data, epochs=250, realisations=2, trace=trace, out=path).close()
    return path


@pytest.fixture
def chromium(tmp_path):
    """A browser, and the folder that it saves downloads in."""
    options = webdriver.ChromeOptions()
    for flag in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
        "--window-size=1500,1400",
    ):  # fmt: skip
        options.add_argument(flag)
    options.binary_location = CHROMIUM
    downloads = tmp_path / "downloads"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    downloads.mkdir()
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.downloads = downloads
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def served():
    """Commands that serve a file, by their arguments: process and address."""
    found = {}
    yield found
    for process, _ in found.values():
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, err
        assert COMPILING.sub("", err) == ""
        assert out.endswith("the page is no longer served\n")


@pytest.fixture
def view(chromium, served):
    """Serve a file by the command, and open its page; the same call finds it served already."""

    def call(path, *options):
        command = sys.executable, "-m", "memsim", "trace", "view", str(path), "--no-browser", *options
        if command not in served:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            found = re.search(r"http://127\.0\.0\.1:\d+/[\w-]+/", process.stdout.readline())
            assert found, process.communicate()[1]
            served[command] = process, found[0]
        return Shown(chromium, served[command][1])

    return call


class Shown:
    """A page in the browser."""

    def __init__(self, driver, address):
        self.driver, self.address = driver, address
        driver.get_log("browser")
        driver.get(address)
        self.wait(lambda: self.js("return Boolean(window.memsim && memsim.named('status'))"))
        self.wait(lambda: "steps " in self.status or "no keyframe" in self.status)

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition):
        deadline = time.monotonic() + SECONDS
        while not (found := condition()):
            assert time.monotonic() < deadline, (self.status, self.driver.get_log("browser"))
            time.sleep(0.05)
        return found

    @property
    def status(self):
        return html.unescape(re.sub("<[^>]*>", "", self.js("return memsim.named('status').text")))

    @property
    def span(self):
        return tuple(self.js("const a = memsim.named('along'); return [a.start, a.end]"))

    def find(self, selector, text=""):
        return self.js(FIND + "return found", selector, text)

    def click(self, selector, text):
        """Click the first element with a text, once it is there."""
        (first, *_) = self.wait(lambda: self.find(selector, text))
        self.js("arguments[0].click()", first)

    def sees(self, span):
        """Wait until these steps are in view."""
        self.wait(lambda: self.span == span)

    def press(self, *keys):
        """Press keys one after the other, each once the page has answered the one before."""
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()
            self.settle()

    def settle(self):
        """Wait until the page's line stays as it is."""
        before, since = self.status, time.monotonic()
        while time.monotonic() - since < 0.4:
            time.sleep(0.05)
            if (now := self.status) != before:
                before, since = now, time.monotonic()

    def canvases(self):
        """The areas of the figures, in their order from above."""
        self.settle()
        return self.js(FIND + "return found.filter((e) => e.getBoundingClientRect().height > 60)", "div.bk-Canvas", "")

    def panels(self):
        """Names of the curves that have values by now, of each quantity that is drawn."""
        return self.js(
            "const [{ panels }] = memsim.named('marker').tags;"
            "const filled = (p) => p.names.filter((_, k) => p.sources[k].data.step.length > 1);"
            "return Object.fromEntries(panels.map((p) => [p.name, filled(p)]));"
        )

    def point(self, place, share):
        """Move the pointer over an area, to a share of its width."""
        box = place.rect
        ActionChains(self.driver).move_to_element_with_offset(
            place, int((share - 0.5) * box["width"]), 0
        ).perform()  # fmt: skip
        return self.wait(self.readout)

    def readout(self):
        """Values under the pointer: the step, and caption to name to text; None where there are none."""
        text = self.js("return memsim.named('cursor').text")
        where = re.search("<b>step ([0-9,]+)</b>", text)
        if where is None:
            return None
        tables = {}
        for caption, rows in re.findall("<caption>(.*?)</caption>(.*?)</table>", text):
            cells = re.findall("<td>(?:<i [^>]*></i>)?(.*?)</td>", rows)
            tables[caption] = dict(zip(cells[::2], cells[1::2], strict=True))
        return int(where[1].replace(",", "")), tables

    def complaints(self):
        return [line for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]


def number(text):
    """A value with its unit, as 12.3456 µA, in SI units; and that unit."""
    value, _, unit = text.replace("\N{MINUS SIGN}", "-").replace("\u00a0", " ").partition(" ")
    prefix, base = (unit[0], unit[1:]) if len(unit) > 1 and unit[0] in FACTORS else ("", unit)
    return float(value) * FACTORS[prefix], base


def test_the_page_opens_with_nothing_from_elsewhere(view, path):
    page = view(path)
    assert page.driver.title == "xor.h5 - memsim"
    header = page.driver.find_element("css selector", "header").text
    for text in ("xor.h5", "2-2-1", "250 epochs of 20 samples", "2 realisations", "1,100,000 steps of 250 µs"):
        assert text in header
    assert page.status.startswith("steps 0 to 1,100,000 (275 s), epochs 0 to 249: ")
    root = page.address.split("/", 3)[:3]
    loaded = page.js("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert {re.search("[^/?]*[.]js", address)[0] for address in loaded} == {"bokeh.min.js", "bokeh-widgets.min.js"}
    assert {address.split("/", 3)[0:3] == root for address in loaded} == {True}
    assert page.complaints() == []


@pytest.mark.slow
def test_zoomed_to_single_steps_the_numbers_shown_are_those_of_the_run(view, path):
    page = view(path, "--quantities", "state,current,voltage")
    page.driver.find_element("css selector", "h1").click()
    page.press("s")
    start, end = page.span
    assert end - start == 220
    page.press("+", "+")
    start, end = map(int, page.span)
    assert end - start == 55
    assert "every step" in page.status
    with open_run(path) as run:
        seen = set()
        for share in (0.3, 0.5, 0.7, 0.9):
            step, tables = page.point(page.canvases()[2], share)
            seen.add(step)
            assert start <= step < end
            assert set(tables) == {"memristance", "boundary", "current", "voltage"}
            for caption, rows in tables.items():
                quantity = caption if caption in ("current", "voltage") else "state"
                assert len(rows) == (9 if quantity != "state" else 6 if caption == "memristance" else 3)
                for name, text in rows.items():
                    bank, device = name.split()
                    values = run.window(bank, quantity, step, step + 1, devices=[int(device)], realisations=[0])
                    shown, unit = number(text)
                    assert unit == {"memristance": "Ω", "boundary": "m", "current": "A", "voltage": "V"}[caption]
                    assert shown == pytest.approx(values.item(), rel=1e-5, abs=1e-30)
        assert len(seen) == 4
    assert page.complaints() == []


@pytest.mark.slow
def test_the_wheel_zooms_and_dragging_pans(view, path):
    page = view(path)
    page.settle()
    page.js("memsim.ask('epoch')")
    page.wait(lambda: page.span[1] - page.span[0] == 4_400)
    place = page.canvases()[2]
    before = page.span
    ActionChains(page.driver).move_to_element(place).perform()
    for _ in range(3):
        page.driver.execute_cdp_cmd(
            "Input.dispatchMouseEvent",
            {"type": "mouseWheel", "deltaX": 0, "deltaY": -240,
             "x": place.rect["x"] + place.rect["width"] // 2, "y": place.rect["y"] + 60},
        )  # fmt: skip
    page.wait(lambda: page.span[1] - page.span[0] < 0.8 * (before[1] - before[0]))
    page.settle()
    start, end = page.span
    said = re.match(r"steps ([0-9,]+) to ([0-9,]+) ", page.status)
    assert int(said[1].replace(",", "")) == int(np.floor(start))
    assert int(said[2].replace(",", "")) == int(np.ceil(end))
    ActionChains(page.driver).click_and_hold(place).move_by_offset(-200, 0).release().perform()
    page.wait(lambda: page.span[0] > start)
    assert page.span[1] - page.span[0] == pytest.approx(end - start)


@pytest.mark.slow
def test_channels_are_switched(view, path):
    page = view(path)
    page.settle()
    page.js("memsim.ask('sample')")
    page.wait(lambda: page.span[1] - page.span[0] == 220)
    for label in ("voltage", "state", "synapses1", "synapses2", "nodes2"):
        page.click("button", label)
        page.settle()
    nodes = ["nodes1 0", "nodes1 1"]
    page.wait(lambda: page.panels() == {"current": nodes, "voltage": nodes})
    step, tables = page.point(page.canvases()[2], 0.4)
    assert {name: list(rows) for name, rows in tables.items()} == {"current": nodes, "voltage": nodes}
    with open_run(path) as run:
        (value,) = run.window("nodes1", "voltage", step, step + 1, devices=[0], realisations=[0]).ravel()
    assert number(tables["voltage"]["nodes1 0"])[0] == pytest.approx(value, rel=1e-5, abs=1e-30)
    (group,) = page.find("div.bk-input-group", "realisations")
    field = page.js("return arguments[0].querySelector('input')", group)
    page.js("arguments[0].value = '0,1'; arguments[0].dispatchEvent(new Event('change'))", field)
    page.wait(lambda: "nodes1 1, realisation 1" in page.js("return memsim.named('cursor').text"))
    assert page.complaints() == []


@pytest.mark.slow
def test_keys_do_what_the_help_says(view, path):
    page = view(path)
    body = page.driver.find_element("css selector", "h1")
    body.click()
    page.press("?")
    page.wait(lambda: page.js("return memsim.named('help').visible"))
    page.press("e", Keys.ARROW_RIGHT)
    page.sees((125 * 4_400 + 1_100, 126 * 4_400 + 1_100))
    page.press(Keys.HOME)
    page.sees((0, 4_400))
    page.press(Keys.END)
    page.sees((1_100_000 - 4_400, 1_100_000))
    page.press("s")
    page.press(".", ".", ">")
    start, stop = page.span
    step, _ = page.wait(page.readout)
    assert step == (start + stop) // 2 + 11  # the cursor of the keys begins in the middle
    assert page.js("return memsim.named('marker').location") == step + 0.5
    page.press("p", "n")
    assert re.match("step [0-9,]+: (READ|RESTORE|BACKREAD|WRITE) of ", page.status)
    page.press("d")
    assert page.status.startswith("no read disturb was counted")
    page.press("w")
    page.wait(lambda: re.match("step .* switches (up|down) in a|nothing more up to the run's end", page.status))
    theme = page.js("return document.documentElement.dataset.theme")
    page.press("t")
    page.wait(lambda: {theme, page.js("return document.documentElement.dataset.theme")} == {"light", "dark"})
    page.press("t", "a")
    page.sees((0, 1_100_000))
    ActionChains(page.driver).send_keys(Keys.TAB, Keys.TAB, Keys.TAB).perform()
    assert page.js("return document.activeElement !== document.body")
    assert page.complaints() == []


COLOURS = """
return memsim.named("marker").tags[0].looks.map(([model, of]) => [model, of[arguments[0]]])
  .every(([model, wanted]) => Object.keys(wanted).every((name) => {
    const value = model[name], want = wanted[name];
    return value === want || (value.value ?? value.field) === (want.field ?? want);
  }));
"""


@pytest.mark.slow
def test_light_and_dark_change_without_the_server(view, served, path):
    page = view(path)
    page.settle()
    theme = page.js("return document.documentElement.dataset.theme")
    other = {"light": "dark", "dark": "light"}[theme]
    assert page.js(COLOURS, theme)
    assert not page.js(COLOURS, other)
    (process,) = (process for process, address in served.values() if address == page.address)
    process.send_signal(signal.SIGSTOP)
    try:
        page.driver.find_element("css selector", "h1").click()
        ActionChains(page.driver).send_keys("t").perform()
        assert page.js(COLOURS, other)
    finally:
        process.send_signal(signal.SIGCONT)
    page.click("button", "voltage")  # figures that are made anew wear it too
    page.wait(lambda: "voltage" in page.panels())
    assert page.js(COLOURS, other)
    assert page.complaints() == []


# What reaches beyond its place, and what touches another one.
CROWDED = (
    FIND
    + """
const seen = found.filter((element) => element.checkVisibility({ visibilityProperty: true }));
const beyond = seen.filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0
  || element.getBoundingClientRect().right > innerWidth + 1);
const boxes = seen.filter((element) => element.matches(".bk-btn, input, select")).map((element) =>
  [element, element.getBoundingClientRect()]);
const apart = (a, b) => a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top;
const touching = boxes.filter(([, box], k) => boxes.slice(k + 1).some(([, other]) => !apart(box, other)));
return [beyond, touching.map(([element]) => element)].map((some) => some.map((element) => element.outerHTML));
"""
)
TEXTS = ".bk-btn, input, select, label, p, h2"


@pytest.mark.slow
@pytest.mark.parametrize("width", [800, 1280, 1920])
def test_a_page_of_any_width_is_in_order(view, path, width):
    page = view(path)
    page.driver.set_window_size(width, 900)
    page.wait(lambda: page.js("return Math.abs(innerWidth - arguments[0]) < 30", width))
    page.driver.find_element("css selector", "h1").click()
    page.press("s")
    assert page.js(CROWDED, TEXTS, "") == [[], []]
    assert page.js("return document.documentElement.scrollWidth <= innerWidth")
    page.js("window.scrollTo(0, 300)")
    axis, values = page.canvases()[3].rect, page.js("return document.querySelector('.values').getBoundingClientRect()")
    assert 0 <= values["top"] < axis["y"] - 300 + axis["height"] < 900  # beside each other, and in sight
    assert values["right"] <= axis["x"] or values["left"] >= axis["x"] + axis["width"]


@pytest.mark.slow
def test_another_name_of_this_machine_does_as_well(view, path):
    page = view(path)
    page = Shown(page.driver, page.address.replace("127.0.0.1", "localhost"))
    assert page.status.startswith("steps 0 to 1,100,000 ")
    assert page.complaints() == []


@pytest.mark.slow
def test_what_is_in_view_is_saved(view, path):
    page = view(path, "--samples", "100", "--banks", "nodes2")
    page.settle()
    for name in ("CSV", "PNG", "SVG", "Python"):
        page.click("nav a", name)
    names = [f"xor-22000-22220.{kind}" for kind in ("csv", "png", "svg", "py")]
    page.wait(lambda: all((page.driver.downloads / name).is_file() for name in names))
    with (page.driver.downloads / names[0]).open(newline="") as file:
        table = list(csv.DictReader(file))
    with open_run(path) as run:
        values = run.window("nodes2", "current", 22_000, 22_220, realisations=[0])[:, 0, 0]
    assert [float(row["value"]) for row in table if row["quantity"] == "current"] == values.tolist()
    assert (page.driver.downloads / names[1]).read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (page.driver.downloads / names[2]).read_bytes()
    window = {}
    exec(compile((page.driver.downloads / names[3]).read_text(), names[3], "exec"), window)
    assert np.array_equal(window["window"]["nodes2", "current"][:, 0, 0], values)


@pytest.mark.slow
def test_a_run_is_followed_while_it_is_written(view, tmp_path):
    path = tmp_path / "growing.h5"
    data = memsim.datasets.gate("xor", samples=20)
    sections = {"learning": {"epochs": 2_000_000}, "run": {"realisations": 4}, "data": {"gate": "xor", "samples": 20}}
    configuration = tmp_path / "run.toml"
    lines = [f"[{name}]\n" + "".join(f"{k} = {v!r}\n" for k, v in fields.items()) for name, fields in sections.items()]
    configuration.write_text("".join(lines).replace("'", '"'))
    command = [sys.executable, "-m", "memsim", "run", str(configuration), "--out", str(path), "--quiet"]
    writer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 2 * SECONDS
        while not path.exists():
            assert writer.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        page = view(path)
        page.wait(lambda: "the run goes on: epoch" in page.status)
        first = page.span[1]
        page.wait(lambda: page.span[1] > first)  # all of it stays in view
        assert page.span[0] == 0
        page.js("memsim.ask('sample')")
        page.wait(lambda: page.span[1] - page.span[0] == 220)
        page.js("memsim.ask('follow')")
        page.wait(lambda: page.js("return memsim.named('follow').active"))
        at = page.span[1]
        page.wait(lambda: page.span[1] > at)
        assert page.span[1] - page.span[0] == 220
    finally:
        writer.send_signal(signal.SIGINT)
        writer.wait(timeout=2 * SECONDS)
    page.wait(lambda: page.span[1] == page.js("return memsim.named('along').bounds[1]"))
    with open_run(path) as run:
        page.wait(lambda: page.span == (run.steps - 220, run.steps))
        step, tables = page.point(page.canvases()[2], 0.5)
        (value,) = run.window("synapses1", "state", step, step + 1, devices=[0], realisations=[0]).ravel()
        assert number(tables["memristance"]["synapses1 0"])[0] == pytest.approx(value, rel=1e-5)
        assert len(data.inputs) == run.samples
    assert page.complaints() == []


def test_a_wrong_token_is_refused(view, path):
    page = view(path)
    for address in (page.address[:-2] + "/", page.address.rsplit("/", 2)[0] + "/"):
        page.driver.get(address)
        text = page.driver.find_element("css selector", "body").text
        assert text.startswith("memsim: this address has no valid token; take the whole address that")
        assert "xor" not in page.driver.page_source


@pytest.mark.slow
def test_a_broken_file_has_a_clear_page(view, path, tmp_path):
    shown = tmp_path / "shown.h5"
    shutil.copy(path, shown)
    page = view(shown)
    broken = tmp_path / "broken.h5"
    broken.write_bytes(path.read_bytes()[:20_000])
    broken.rename(shown)
    page.driver.get(page.address)
    text = page.driver.find_element("css selector", "body").text
    assert "This run cannot be looked at" in text
    assert re.search(r"shown\.h5: is cut off: .* copy it again", text)
    assert "memsim trace verify" in text
