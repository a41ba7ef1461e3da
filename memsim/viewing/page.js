// What the page does without asking the server: numbers with units, values under the cursor, the keyboard.
window.memsim = (() => {
  const PREFIXES = { "-15": "f", "-12": "p", "-9": "n", "-6": "µ", "-3": "m", 0: "", 3: "k", 6: "M", 9: "G" };
  const SCALABLE = new Set(["A", "V", "W", "m", "s", "ohm", "J"]);
  const SYMBOLS = { ohm: "Ω" };

  function scale(largest, unit) {
    if (!SCALABLE.has(unit) || !(largest > 0) || !isFinite(largest)) return [1, unit === "1" ? "" : unit];
    const power = Math.min(9, Math.max(-15, 3 * Math.floor(Math.log10(largest * (1 + 1e-12)) / 3)));
    return [10 ** -power, PREFIXES[power] + (SYMBOLS[unit] || unit)];
  }

  const signed = (text) => text.replace(/^-/, "−");

  // A number with its unit, in so many digits: 12.3456 µA.
  function format(value, unit, digits) {
    if (!isFinite(value)) return "–";
    const [factor, name] = scale(Math.abs(value), unit);
    const scaled = value * factor;
    const plain = scaled === 0 ? "0" : Math.abs(scaled) < 1e-4 || Math.abs(scaled) >= 1e6
      ? scaled.toExponential(digits - 1) : String(Number(scaled.toPrecision(digits)));
    return signed(plain) + (name ? "\u00a0" + name : "");
  }

  // A tick's number, in as many digits as tell it from its neighbours.
  function ticks(tick, index, all, unit) {
    const largest = Math.max(...all.map(Math.abs));
    const [factor, name] = scale(largest, unit);
    const gap = all.length > 1 ? Math.abs(all[1] - all[0]) * factor : 1;
    const decimals = Math.max(0, Math.min(12, -Math.floor(Math.log10(gap) + 1e-9)));
    const value = tick * factor;
    const text = Math.abs(value) >= 1e6 ? value.toExponential(3) : String(Number(value.toFixed(decimals)));
    return signed(text) + (name && SCALABLE.has(unit) ? " " + name : "");
  }

  // A time in s, to the last digit that a step of dt changes.
  function clocked(step, dt) {
    const decimals = Math.max(0, Math.min(12, Math.ceil(-Math.log10(dt)) + 1));
    return (step * dt).toLocaleString("en-US", { maximumFractionDigits: decimals }) + "\u00a0s";
  }

  const counted = (number) => Math.round(number).toLocaleString("en-US");
  const epoch = (step, size) => String(Number((step / size).toPrecision(6)));

  // Index of the last edge at or before a place; -1 before the first.
  function before(edges, place) {
    let low = 0, high = edges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (edges[middle] <= place) low = middle + 1; else high = middle;
    }
    return low - 1;
  }

  const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

  // Values of all curves at a step, as rows of tables.
  function values(step, note, clock, panels) {
    const sample = Math.floor(step / clock.sample_steps);
    const phase = clock.phases[step % clock.sample_steps];
    let html = `<div class="where"><b>step ${counted(step)}</b> · ${clocked(step, clock.dt)}<br>epoch `
      + `${counted(Math.floor(sample / clock.samples))} · sample ${counted(sample % clock.samples)} · ${phase}</div>`;
    if (note) html += `<p class="said">smallest … largest ${escaped(note)}</p>`;
    for (const panel of panels) {
      html += `<table><caption>${escaped(panel.name)}</caption>`;
      panel.sources.forEach((source, k) => {
        const { step: edges, low, high } = source.data;
        const at = before(edges, step);
        if (at < 0 || at >= edges.length - 1) return;
        const text = low[at] === high[at] ? format(low[at], panel.unit, 6)
          : `${format(low[at], panel.unit, 5)} … ${format(high[at], panel.unit, 5)}`;
        html += `<tr><td><i style="background:${panel.colours[k]}"></i>${escaped(panel.names[k])}</td><td>${escaped(text)}</td></tr>`;
      });
      html += "</table>";
    }
    return html;
  }

  // The step that is read out: the one under the pointer, or where the keys have moved the cursor. What it takes to
  // read it out is with the marker, and changes with the figures.
  let shown = null;

  function readout(place) {
    shown = Math.floor(place);
    named("marker").visible = false;
    again();
  }

  function again() {
    const range = named("along"), marker = named("marker");
    if (shown === null || !range || !marker) return;
    const [{ cursor, clock, panels }] = marker.tags;
    const inside = shown >= range.start && shown < range.end;
    cursor.text = inside ? values(shown, cursor.tags[0], clock, panels) : clock.legend;
  }

  // Move the cursor; the first time it is put into the middle of what is in view.
  function walk(steps) {
    const range = named("along"), marker = named("marker");
    if (!range || !marker) return;
    const inside = shown !== null && shown >= range.start && shown < range.end;
    shown = Math.max(0, inside ? shown + steps : Math.floor(0.5 * (range.start + range.end)));
    marker.location = shown + 0.5;
    marker.visible = true;
    again();
  }

  const named = (name) => {
    for (const doc of window.Bokeh ? window.Bokeh.documents : []) {
      const model = doc.get_model_by_name(name);
      if (model) return model;
    }
    return null;
  };

  // Ask the server for something: a word, made new each time so that it is a change.
  let asked = 0;
  function ask(word) {
    const field = named("request");
    if (field) field.value = `${word} ${(asked += 1)}`;
  }

  // Pan by a share of what is in view, or zoom about its middle; the server hears of the range's change.
  function move(share) {
    const range = named("along");
    if (!range) return;
    const [least, most] = range.bounds || [0, range.end];
    const length = range.end - range.start;
    const start = Math.min(Math.max(range.start + share * length, least), Math.max(least, most - length));
    range.setv({ start, end: start + length });
  }

  function zoom(factor) {
    const range = named("along");
    if (!range) return;
    const [least, most] = range.bounds || [0, range.end];
    const middle = 0.5 * (range.start + range.end);
    const half = Math.max(0.5 * (range.end - range.start) * factor, 4);
    range.setv({ start: Math.max(least, middle - half), end: Math.min(most, middle + half) });
  }

  // Light or dark: as it was chosen here before, else as the browser prefers. The server has no part in it: figures
  // come with the colours of both, and wear them as soon as they are there.
  const root = document.documentElement;
  const preferred = () => localStorage.getItem("memsim-theme")
    || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

  function paint() {
    const [{ looks }] = named("marker").tags;
    for (const [model, of] of looks) model.setv(of[root.dataset.theme], { sync: false });
  }

  function toggleTheme() {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("memsim-theme", root.dataset.theme);
    if (named("marker")) paint();
  }

  root.dataset.theme = preferred();
  (function begin() {
    const marker = named("marker");
    if (!marker) return requestAnimationFrame(begin);
    marker.properties.tags.change.connect(paint);
    return paint();
  })();

  const KEYS = {
    ArrowLeft: (event) => move(event.shiftKey ? -1 : -0.25), ArrowRight: (event) => move(event.shiftKey ? 1 : 0.25),
    ",": () => walk(-1), ".": () => walk(1), "<": () => walk(-10), ">": () => walk(10),
    "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2),
    Home: () => ask("begin"), End: () => ask("end"), a: () => ask("all"),
    e: () => ask("epoch"), s: () => ask("sample"), p: () => ask("slot"),
    n: () => ask("next-phase"), w: () => ask("next-switching"), d: () => ask("next-disturb"),
    l: () => ask("follow"), t: toggleTheme, Escape: () => ask("stop"), "?": () => ask("help"),
  };

  const writes = (target) => target && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)
    && !/^(checkbox|radio|button)$/.test(target.type);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || writes(event.composedPath()[0])) return;
    const action = KEYS[event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  });

  return { format, ticks, epoch, counted, readout, again, named, ask, toggleTheme };
})();
