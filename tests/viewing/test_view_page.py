"""The page of a run without a browser: what its fields, words and numbers do; and who the server answers."""

import contextlib
import http.client
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import h5py
import numpy as np
import pytest
from short_runs import overdriven
from test_view_looks import long_run, single_layer

pytest.importorskip("bokeh")

from bokeh.document import Document
from bokeh.models import Div
from bokeh.server.callbacks import TimeoutCallback
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

import memsim
from memsim.configuration.sections import TraceSection
from memsim.errors import InputError
from memsim.runs.opening import open_run
from memsim.viewing.choice import first_choice
from memsim.viewing.door import MOST_STRANGERS
from memsim.viewing.looks import Kind
from memsim.viewing.page import GATHERING_MS, Page
from memsim.viewing.server import Viewer
from memsim.viewing.themes import CURVES, FAINT, GRID, INK


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "xor.h5"
    data = memsim.datasets.gate("xor", samples=20)
    trace = TraceSection(mode="keyframes", keyframe_samples=40)
    memsim.train(memsim.MultilayerPerceptron(), data, epochs=250, realisations=2, trace=trace, out=path).close()
    return path


@pytest.fixture
def page(path):
    shown = page_of(open_run(path))
    yield shown
    shown.close()


def page_of(run, span=None):
    return Page(Document(), run, first_choice(run), span, "/token", {})


def settle(page):
    """Do what waits for the next tick, as the server would."""
    for _ in range(1000):
        waiting = [c for c in page.document.session_callbacks if getattr(c, "timeout", 0) <= GATHERING_MS]
        if not waiting:
            return
        for callback in waiting:
            remove = "timeout" if isinstance(callback, TimeoutCallback) else "next_tick"
            getattr(page.document, f"remove_{remove}_callback")(callback)
            callback.callback()
    raise AssertionError("the page does not come to rest")


def ask(page, word):
    page._answer(word)
    settle(page)
    return said(page)


def said(page):
    return re.sub("<[^>]*>", "", page._status.text)


def test_the_page_shows_the_bits_of_the_run(page):
    page.look_at(4_400, 4_620)
    settle(page)
    assert said(page).startswith("steps 4,400 to 4,620 (55 ms), epoch 1: every step [")
    for panel in page._panels:
        for channel, source in zip(panel.group.members, panel.sources, strict=True):
            bank, quantity, device, _, realisation = channel
            values = page.run.window(bank, quantity, 4_400, 4_620, devices=[device], realisations=[realisation])[
                :, 0, 0
            ]
            assert np.array_equal(source.data["low"][:-1], values)
            assert np.array_equal(source.data["high"], source.data["low"])
            assert np.array_equal(source.data["step"], np.arange(4_400, 4_621))
        assert panel._range.start < min(s.data["low"].min() for s in panel.sources)
        assert panel._range.end > max(s.data["high"].max() for s in panel.sources)


def test_an_axis_of_currents_shows_the_thresholds(page):
    (panel,) = (panel for panel in page._panels if panel.group.unit == "A")
    thresholds = [level for bank in page.run.calibration for level in bank.thresholds]
    assert thresholds
    page.look_at(4_400, 4_410)  # nothing flows in most devices
    settle(page)
    assert panel._range.start < -max(thresholds)
    assert panel._range.end > max(thresholds)


def test_words_move_what_is_in_view(page):
    run = page.run
    size, epoch = run.sample_steps, run.samples * run.sample_steps
    page.look_at(10 * epoch + 3 * size + 5, 10 * epoch + 3 * size + 15)
    ask(page, "slot")
    slot = run.slots[run.slots["start"] <= 10][-1]
    assert page.span[0] <= 10 * epoch + 3 * size + slot["start"] < page.span[1]
    ask(page, "sample")
    assert page.span == (10 * epoch + 3 * size, 10 * epoch + 4 * size)
    ask(page, "epoch")
    assert page.span == (10 * epoch, 11 * epoch)
    ask(page, "end")
    assert page.span == (run.steps - epoch, run.steps)
    ask(page, "begin")
    assert page.span == (0, epoch)
    ask(page, "all")
    assert page.span == (0, run.steps)
    ask(page, "nonsense")
    assert page.span == (0, run.steps)


def test_a_sample_of_a_long_span_has_currents_in_it(page):
    run = page.run
    size, epoch = run.sample_steps, run.samples * run.sample_steps
    page.controls.banks.active, page.controls.devices.value = [0], "0"  # a line that is driven where its input is 1
    settle(page)
    flows = [
        run.window("synapses1", "current", k * size, (k + 1) * size, devices=[0], realisations=[0]).any()
        for k in range(2_000, 2_040)
    ]
    silent = next(k for k in range(20) if not flows[k] and not flows[k + 1])
    busy = next(k for k in range(silent, 40) if flows[k])
    for word, shown in (("sample", busy), ("slot", busy), ("epoch", None)):
        page.look_at((2_000 + silent) * size - epoch // 2, (2_000 + silent) * size + epoch // 2)
        ask(page, word)
        start, stop = page.span
        if shown is not None:
            assert start <= (2_000 + shown) * size < stop <= (2_000 + shown + 1) * size + 8
    page.look_at((2_000 + silent) * size - size, (2_000 + silent) * size + 2 * size)
    ask(page, "sample")
    assert page.span == ((2_000 + silent) * size, (2_001 + silent) * size)  # of a few, the one that is looked at


def test_numbers_are_gone_to(page):
    run = page.run
    size, epoch = run.sample_steps, run.samples * run.sample_steps
    page.moves.go("epoch", 7)
    assert page.span == (7 * epoch, 8 * epoch)
    page.moves.go("sample", 19)
    assert page.span == (8 * epoch - size, 8 * epoch)
    page.moves.go("step", 12_345)
    assert page.span[0] < 12_345 < page.span[1]
    assert page.span[1] - page.span[0] == size
    for unit, number in (("epoch", 250), ("step", run.steps), ("epoch", 10**12)):
        before = page.span
        page.moves.go(unit, number)
        assert page.span == before
        assert f"{unit}: the run has steps 0 to 1,099,999 so far" in said(page)


def test_phases_follow_each_other(page):
    page.look_at(4_400, 4_620)
    settle(page)
    page.controls.phase.value = "WRITE"
    first = ask(page, "next-phase")
    writes = page.run.slots["start"][page.run.slots["phase"] == b"WRITE"]
    assert first.startswith(f"step {4_400 + writes[0]:,}: WRITE of synapses1, layer 1")
    assert ask(page, "next-phase").startswith(f"step {4_400 + writes[1]:,}: WRITE of ")
    page.look_at(page.run.steps - 10, page.run.steps)
    settle(page)
    assert ask(page, "next-phase") == "WRITE does not come again"


def test_switching_is_searched_from_place_to_place(page):
    page.look_at(0, 220)
    settle(page)
    steps = [int(re.match("step ([0-9,]+):", ask(page, "next-switching"))[1].replace(",", "")) for _ in range(3)]
    assert steps == sorted(set(steps))
    for step in steps:
        assert page.span[0] < steps[-1] < page.span[1]
        assert step < page.run.steps


def test_a_search_can_be_stopped_and_the_page_answers_meanwhile(page, monkeypatch):
    monkeypatch.setattr("memsim.viewing.jumps.PIECE_STEPS", 220)
    monkeypatch.setattr("memsim.viewing.moves.SEARCH_SECONDS", 0.0)
    page.controls.banks.active = [0]  # weights of the first layer do not switch that fast
    page.look_at(500_000, 500_220)
    settle(page)
    page._answer("next-switching")
    assert page.moves.searching
    assert "searching: nothing up to step 500," in said(page)
    page._answer("stop")
    assert said(page) == "the search was stopped"
    settle(page)
    assert not page.moves.searching


def test_read_disturbs_are_jumped_to_or_said_to_be_none(page):
    assert ask(page, "next-disturb") == "no read disturb was counted in this run so far, of what is shown"
    other = page_of(overdriven())
    settle(other)
    assert re.match("step [0-9,]+: (READ|BACKREAD|RESTORE) leaves .* off by ", ask(other, "next-disturb"))
    other.looker.close()


def test_fields_choose_channels(page):
    fields = page.controls
    fields.quantities.active = [2]
    fields.banks.active = [1, 3]
    fields.realisations.value = "0:2"
    settle(page)
    assert [panel.group.name for panel in page._panels] == ["voltage"]
    assert page._panels[0].names == [
        f"{bank}, realisation {lane}" for bank in ("nodes1 0", "nodes1 1", "nodes2 0") for lane in (0, 1)
    ]
    for field, value, text in (
        (fields.realisations, "2", "realisations: must be from 0 to 1"),
        (fields.devices, "x", "devices: must be numbers"),
    ):
        before, field.value = field.value, value
        assert text in said(page)
        assert 'class="failed"' in page._status.text
        assert len(page._panels[0].names) == 6
        field.value = before


def test_states_can_be_shown_as_weights(page):
    page.look_at(4_400, 4_620)
    page.controls.weights.active = True
    settle(page)
    panel = page._panels[0]
    assert panel.group.name == "weight"
    final = page.run.window("synapses1", "state", 4_619, 4_620, devices=[0], realisations=[0]).item()
    (per_weight,) = (bank.state_per_weight for bank in page.run.calibration if bank.name == "synapses1")
    assert panel.sources[0].data["low"][-1] == pytest.approx(final / per_weight, rel=1e-15)


def test_the_loop_offers_the_devices_of_its_bank(page):
    page.look_at(4_400, 4_620)
    page.controls.loop_bank.value, page.controls.loop_device.value = "synapses1", "3"
    settle(page)
    assert page.controls.loop_device.options == ["0", "1", "2", "3"]
    page.controls.loop_bank.value = "nodes2"
    settle(page)
    assert page.controls.loop_device.options == ["0"]
    assert "<b>nodes2 0," in page._loop.title.text
    assert 'class="said"' in page._status.text


def test_what_goes_wrong_unexpectedly_is_said_too(page, monkeypatch):
    monkeypatch.setattr(page.looker, "look", lambda *given: 1 // 0)
    page.look_at(4_400, 4_620)
    settle(page)
    assert said(page).startswith("ZeroDivisionError: integer division or modulo by zero (please report this)")


def test_who_looks_elsewhere_follows_no_more(page):
    page.controls.follow.active = True
    page.look_at(4_400, 4_620)
    settle(page)
    assert page.controls.follow.active
    page.along.update(start=100.0, end=300.0)
    assert not page.controls.follow.active
    settle(page)
    assert page.span == (100, 300)


def test_zooms_that_come_together_are_answered_once(page, monkeypatch):
    settle(page)
    looks, look = [], page.looker.look
    monkeypatch.setattr(page.looker, "look", lambda *given: looks.append(given[1:3]) or look(*given))
    for end in range(300, 400, 10):
        page.along.update(start=100.0, end=float(end))
    settle(page)
    assert looks == [(100, 390)]


def test_all_that_is_of_a_theme_changes_with_it(page):
    (about,) = page._marker.tags
    known = {(model.id, name): of for model, looks in about["looks"] for name, of in looks["dark"].items()}
    changing = {colour.light: colour.dark for colour in (INK, FAINT, GRID, *CURVES) if colour.light != colour.dark}
    models = {model for root in page._roots for model in root.references()}
    found = {
        (model.id, name): changing[str(value)]
        for model in models for name, value in model.properties_with_values().items() if str(value) in changing
    }  # fmt: skip
    assert len(found) > 80
    assert found.items() <= known.items()
    for panel in about["panels"]:
        assert all(colour.startswith("light-dark(#") for colour in panel["colours"])


def test_every_step_is_replayed_beside_the_page(page, monkeypatch):
    monkeypatch.setattr("memsim.viewing.looks.SECONDS", 0.01)
    ask(page, "all")
    assert page._looked.kind is Kind.SAMPLED
    assert all(line.line_dash == [2, 3] for panel in page._panels for line in panel._lines)
    assert page._cursor.tags[0].startswith("of ")
    coarse = page._looked
    page._refine(coarse)
    replay = page.refiner._replay
    assert "all steps are being replayed: " in page._progress.text
    page.refiner._thread.join()
    page._hear(replay, coarse)
    assert page._looked.kind is Kind.EXTREMES
    assert all(line.line_dash == [] for panel in page._panels for line in panel._lines)
    assert page._cursor.tags == []
    assert not page._progress.visible
    assert list(page._looks.values()) == [page._looked]  # what an export has
    assert said(page).startswith("steps 0 to 1,100,000 (275 s), epochs 0 to 249: smallest to largest of each ")
    panel = page._panels[-1]
    channel, source = panel.group.members[0], panel.sources[0]
    values = page.run.window(channel.bank, channel.quantity, devices=[channel.device], realisations=[0])[:, 0, 0]
    edges = source.data["step"][:-1].astype(int)
    assert np.array_equal(source.data["low"][:-1], np.minimum.reduceat(values, edges))
    assert np.array_equal(source.data["high"][:-1], np.maximum.reduceat(values, edges))


def test_a_replay_beside_the_page_ends_when_somebody_looks_elsewhere(page, monkeypatch):
    monkeypatch.setattr("memsim.viewing.looks.SECONDS", 0.01)
    ask(page, "all")
    coarse = page._looked
    page._refine(coarse)
    ask(page, "sample")
    page.refiner._thread.join()
    page._hear(page.refiner._replay, coarse)
    assert page._looked.kind is Kind.STEPS
    assert not page._progress.visible


def test_a_tab_may_be_closed_while_steps_are_replayed(page, monkeypatch):
    wrong = []
    monkeypatch.setattr("threading.excepthook", wrong.append)
    monkeypatch.setattr("memsim.viewing.looks.SECONDS", 0.01)
    ask(page, "all")
    page._refine(page._looked)
    page.document.callbacks.destroy()  # as the server does, some time before the page hears of it
    page.refiner._thread.join()
    assert wrong == []
    assert page.refiner._replay.found is not None


def test_what_goes_wrong_beside_the_page_is_said(page, monkeypatch):
    monkeypatch.setattr("memsim.viewing.looks.SECONDS", 0.01)
    monkeypatch.setattr("memsim.viewing.refining.curves", lambda *given, **more: 1 // 0)
    ask(page, "all")
    coarse = page._looked
    page._refine(coarse)
    page.refiner._thread.join()
    page._hear(page.refiner._replay, coarse)
    assert said(page).startswith("ZeroDivisionError: ")
    assert not page._progress.visible


def test_the_closer_looks_follow_the_view(page):
    page.look_at(4_400, 4_620)
    page.controls.loop_bank.value, page.controls.loop_device.value = "nodes1", "1"
    settle(page)
    voltage = page.run.window("nodes1", "voltage", 4_400, 4_620, devices=[1], realisations=[0])[:, 0, 0]
    assert np.array_equal(page._loop.source.data["voltage"], voltage)
    assert page._loop.title.text == '<p class="where"><b>nodes1 1, realisation 0</b>: each of 220 steps</p>'
    page._tabs.active = 1
    settle(page)
    assert page._image.source.data["image"][0].shape == (4, 1)


def test_a_device_with_several_variables_has_a_page():
    page = page_of(single_layer())
    settle(page)
    assert {panel.group.unit for panel in page._panels} >= {"A"}
    page._tabs.active = 1
    settle(page)
    assert 'class="said"' in page._status.text
    page.looker.close()


def test_what_is_wrong_with_the_file_is_said_on_the_page(path, tmp_path):
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(path.read_bytes())
    with h5py.File(damaged, "r+") as file:
        file["keyframes/crc32"][60] += 1
    page = page_of(open_run(damaged))
    page.look_at(61 * 40 * 220 + 500, 61 * 40 * 220 + 700)
    settle(page)
    assert "the checksum of keyframe 60 is wrong" in said(page)
    assert 'class="failed"' in page._status.text
    page.look_at(4_400, 4_620)
    settle(page)
    assert "every step" in said(page)
    page.close()


def test_names_in_a_file_are_texts(path, tmp_path):
    hostile = tmp_path / "<img src=x onerror=alert(1)>.h5"
    hostile.write_bytes(path.read_bytes())
    with h5py.File(hostile, "r+") as file:
        file["dataset"].attrs["name"] = "</script><img src=x onerror=alert(2)>"
    page = page_of(open_run(hostile))
    page.add_to_document()
    settle(page)
    document = page.document
    assert "&lt;img src=x onerror=alert(2)&gt;" in page._about.text
    written = [each.text for each in document.select({"type": Div})] + [document.template_variables["headline"]]
    assert len(written) > 6
    assert not any("<img" in text for text in written)
    page.close()


def test_a_run_without_a_keyframe_is_waited_for(path, tmp_path):
    young = tmp_path / "young.h5"
    young.write_bytes(path.read_bytes())
    with h5py.File(young, "r+") as file:
        for name in file["committed"]:
            file[f"committed/{name}"][()] = 0
    page = page_of(open_run(young))
    settle(page)
    assert "no keyframe yet" in said(page)
    assert ask(page, "all").startswith("the run has no keyframe yet")
    page.close()


def test_a_run_in_memory_has_a_page():
    page = page_of(long_run())
    assert page.refiner is None
    settle(page)
    assert "steps 0 to" in said(page)
    page.looker.close()


# The server


@pytest.fixture
def server(path):
    """A viewer that serves in a thread."""
    found, ready = [], threading.Event()

    def work():
        IOLoop()  # of this thread
        found.append(Viewer(path, lambda run: (first_choice(run), None)))
        ready.set()
        found[0].serve(show=False)

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(30)
    yield found[0]
    found[0].stop()
    thread.join(30)
    assert not thread.is_alive()


def get(address):
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read().decode(errors="replace"), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def test_only_the_address_with_the_token_is_answered(server):
    status, text, _ = get(server.address)
    assert status == 200
    assert "xor.h5" in text
    root = f"http://127.0.0.1:{server.port}"
    token = server.address.removeprefix(root).strip("/")
    assert len(token) >= 20
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    for place in (
        "/", f"/{wrong}/", f"/{token[:-1]}/", f"/{wrong}/export.csv", "/static/js/bokeh.min.js", f"/{wrong}/ws",
        "/export.png?start=0", "/favicon.ico/",
    ):  # fmt: skip
        status, text, _ = get(root + place)
        assert status == 403, place
        assert text.startswith("memsim: this address has no valid token")
        assert "xor" not in text
    assert "mathjax" not in get(server.address)[1]  # a name is no formula
    request = urllib.request.Request(root + "/", method="POST", data=b"x")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=60)


def answered(server, request):
    """What the server says to bytes before it ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        found = b""
        with contextlib.suppress(ConnectionError):  # it may be gone before all was sent
            connection.sendall(request)
            while piece := connection.recv(4096):
                found += piece
        return found


@pytest.mark.parametrize("request_of", [
    b"POST @ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 90000000\r\n\r\nx",
    b"POST @ HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    + 5 * (b"8000\r\n" + bytes(0x8000) + b"\r\n"),
    b"GET @ HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + 200_000 * b"x",
    b"GET @" + 200_000 * b"x",
])  # fmt: skip
def test_nobody_can_send_much(server, request_of):
    for place in ("/", f"/{server.address.split('/')[3]}/"):
        assert answered(server, request_of.replace(b"@", place.encode()))[:13] in (b"", b"HTTP/1.1 400 ")


def test_who_says_nothing_is_not_waited_for(request, monkeypatch):
    monkeypatch.setattr("memsim.viewing.door.PATIENCE", 0.2)
    server = request.getfixturevalue("server")
    assert answered(server, b"") == b""
    assert answered(server, b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx") == b""


def test_a_crowd_shuts_nobody_out(server):
    with contextlib.ExitStack() as crowd:
        idle = [
            crowd.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            for _ in range(3 * MOST_STRANGERS)
        ]
        assert get(server.address)[0] == 200
        for connection in idle[: 2 * MOST_STRANGERS]:
            assert connection.recv(1) == b""  # the first ones were shown out
        idle[-1].sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert idle[-1].recv(1024).startswith(b"HTTP/1.1 403 ")


def test_who_has_shown_the_token_is_not_shown_out(server):
    known = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    place = f"/{server.address.split('/')[3]}/static/js/bokeh.min.js"
    with contextlib.closing(known), contextlib.ExitStack() as crowd:
        for _ in range(2):
            known.request("GET", place)
            answer = known.getresponse()
            assert (answer.status, len(answer.read()) > 500_000) == (200, True)
            for _ in range(2 * MOST_STRANGERS):
                crowd.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))


@pytest.mark.parametrize(("headers", "status"), [
    ({"Host": "somewhere.else"}, 403), ({"Host": "127.0.0.1.somewhere.else"}, 403), ({"Host": "10.0.0.1"}, 403),
    ({"Origin": "http://somewhere.else"}, 403), ({"Origin": "null"}, 403),
    ({"Host": "localhost:1"}, 200), ({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200),
    ({"Host": "localhost:1", "Origin": "http://localhost:2"}, 403),
])  # fmt: skip
def test_only_this_machines_own_names_are_answered(server, headers, status):
    request = urllib.request.Request(server.address + "static/js/bokeh-widgets.min.js", headers=headers)
    assert get(request)[0] == status


def test_the_token_is_in_no_traceback(capsys, request, monkeypatch):
    monkeypatch.setattr(Viewer, "_open", lambda self, document: 1 // 0)
    server = request.getfixturevalue("server")
    assert get(server.address)[0] == 500
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert "GET /TOKEN/" in err
    assert server.address.split("/")[3] not in err


def test_what_goes_wrong_unexpectedly_has_a_page_that_says_so(server, monkeypatch):
    monkeypatch.setattr("memsim.viewing.server.Page", lambda *given, **more: 1 // 0)
    status, text, _ = get(server.address)
    assert status == 200
    assert "ZeroDivisionError: integer division or modulo by zero (please report this)" in text


def test_pages_are_not_opened_without_an_end(server, monkeypatch):
    monkeypatch.setattr("memsim.viewing.server.MOST_PAGES", 2)
    server._pages |= {"one", "another"}
    assert "2 pages of it are open; close some of them" in get(server.address)[1]
    server._pages.remove("another")
    assert "pages of it are open" not in get(server.address)[1]
    assert len(server._pages) == 2
    server._pages.remove("one")  # which is no page, that could be closed


def test_no_other_host_address_is_listened_on(server):
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)} - {"127.0.0.1"}
    for host in others | {"127.0.0.2", "::1"}:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.settimeout(5)
            assert probe.connect_ex((host, server.port)) != 0, host


def test_a_page_of_another_origin_gets_no_connection(server):
    from tornado.httpclient import HTTPClientError, HTTPRequest

    def connect(origin):
        async def work():
            address = server.address.replace("http", "ws") + "ws"
            request = HTTPRequest(address, headers={"Origin": origin}, request_timeout=30)
            (await websocket_connect(request)).close()

        IOLoop().run_sync(work)

    with pytest.raises(HTTPClientError, match="403"):
        connect("http://somewhere.else")


def test_nothing_comes_from_elsewhere_whatever_the_environment_says(path, monkeypatch):
    monkeypatch.setenv("BOKEH_RESOURCES", "cdn")
    monkeypatch.setenv("BOKEH_ALLOW_WS_ORIGIN", "somewhere.else")
    script = (
        "import sys, urllib.request, threading\n"
        "from pathlib import Path\n"
        "from memsim.viewing.server import Viewer\n"
        "from memsim.viewing.choice import first_choice\n"
        "viewer = Viewer(Path(sys.argv[1]), lambda run: (first_choice(run), None))\n"
        "def ask():\n"
        "    try:\n"
        "        print(urllib.request.urlopen(viewer.address, timeout=600).read().decode())\n"
        "    finally:\n"
        "        viewer.stop()\n"
        "threading.Thread(target=ask).start()\n"
        "viewer.serve(show=False)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True, text=True)
    assert "bokeh.min.js" in done.stdout
    assert "cdn.bokeh.org" not in done.stdout
    assert "Content-Security-Policy" in done.stdout


def test_exports_are_downloads(server, path):
    with open_run(path) as run:
        page = page_of(open_run(path), (4_400, 4_620))
        settle(page)
        (link,) = re.findall(r'href="/token(/export\.csv\?[^"]*)"', page._export.text)
        page.close()
        status, text, headers = get(server.address.rstrip("/") + link.replace("&amp;", "&"))
        assert status == 200
        assert headers["Content-Disposition"].startswith('attachment; filename="xor-4400-4620.csv"')
        first = text.splitlines()[1].split(",")
        value = run.window(first[5], first[9], 4_400, 4_401, devices=[int(first[6])], realisations=[0]).item()
        assert float(first[11]) == value
    status, text, headers = get(server.address + "export.csv?start=1")
    assert status == 400
    assert text.startswith("memsim: export: the address is not one that the page gave")
    assert headers["Content-Type"].startswith("text/plain")


def test_a_file_that_is_broken_by_now_has_a_page_that_says_so(server, path, tmp_path):
    broken, whole = tmp_path / "broken.h5", tmp_path / "whole.h5"
    broken.write_bytes(path.read_bytes()[:5_000])
    path.rename(whole)
    try:
        status, text, _ = get(server.address)
        assert status == 200
        assert "This run cannot be looked at" in text
        assert "xor.h5: no such file; check the path" in text
        broken.rename(path)
        assert re.search(r"xor\.h5: is (cut off|no HDF5 file, or a broken one)", get(server.address)[1])
    finally:
        whole.rename(path)
    assert "This run cannot be looked at" not in get(server.address)[1]


def test_a_taken_port_is_refused(path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match=r"--port: .* cannot be taken .*name another, or 0 for a free one"):
            Viewer(path, lambda run: None, taken.getsockname()[1])


def test_bad_input_is_refused_before_anything_is_served(refused, path, tmp_path, monkeypatch):
    (tmp_path / "text.h5").write_text("no run")
    refused("no such file", "trace", "view", tmp_path / "none.h5")
    refused("is no HDF5 file", "trace", "view", tmp_path / "text.h5")
    refused("--banks: must be among", "trace", "view", path, "--banks", "nodes9")
    refused("--epochs: the run has epochs 0 to 249", "trace", "view", path, "--epochs", "250:300")
    refused("--port", "trace", "view", path, "--port", "70000")
    monkeypatch.setitem(sys.modules, "bokeh", None)
    refused(r"pip install 'memsim\[view\]'", "trace", "view", path)


def test_the_command_says_where_and_serves_until_it_is_stopped(cli, path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)

    def interrupt(self):
        deadline = time.monotonic() + 5.0
        self.add_timeout(self.time() + 0.2, self.stop)
        original(self)
        assert time.monotonic() < deadline
        raise KeyboardInterrupt

    original = IOLoop.current().__class__.start
    monkeypatch.setattr(IOLoop.current().__class__, "start", interrupt)
    result = cli("trace", "view", path, "--samples", "20:22", "--banks", "nodes1")
    assert result.status == 0
    address = re.search(r"is shown at (http://127\.0\.0\.1:[0-9]+/[\w-]{20,}/)\n", result.out)[1]
    assert len(opened) == 1
    assert opened[0].startswith("file://")
    assert address.split("/")[3] not in opened[0]  # other users can read a browser's arguments
    assert result.out.endswith("the page is no longer served\n")


ENDS = """
import sys, threading, time
from pathlib import Path
from h5py._objects import phil
from memsim.viewing import refining

held = threading.Event()

def slow(run, channels, start, stop, progress, **more):
    with phil:
        held.set()
        time.sleep(1.0)
    progress(1, 2)

refining.curves = slow
kept = refining.open_run(sys.argv[1])
refiner = refining.Refiner(Path(sys.argv[1]))
refiner.begin(None, 0, 10, 100)
held.wait()
refiner.stop()
"""


def test_a_replay_that_goes_on_does_not_keep_the_process_from_its_end(tmp_path):
    """A thread that dies with HDF5's lock, as daemons do at the interpreter's end, would leave it to wait for ever."""
    long_run().save(tmp_path / "run.h5")
    ended = subprocess.run(
        [sys.executable, "-c", ENDS, tmp_path / "run.h5"], timeout=60, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
