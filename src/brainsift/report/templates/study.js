"use strict";
(() => {
  const PAGE = { table: 100, sheet: 48 };
  const data = JSON.parse(document.getElementById("data").textContent);
  const total = data.scans.length;
  const columns = new Map(data.columns.map((column) => [column.name, column]));
  columns.set("verdict", { name: "verdict", label: "Verdict", ...data.verdict });
  columns.set("scan", { name: "scan", label: "Scan", values: data.scans });
  const order = ["verdict", "scan", ...data.columns.map((column) => column.name)];

  const cell = (column, row) => {
    const value = column.values[row];
    if (!column.levels) return value;
    return value < 0 ? null : column.levels[value];
  };
  const make = (tag, properties = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  };

  // Paths are kept as what follows the stem, and stems as a length of the scan's name.
  const stem = (row) => (typeof data.stems[row] === "number" ? data.scans[row].slice(0, data.stems[row]) : data.stems[row]);
  const address = (column, row) => {
    const kept = cell(column, row);
    if (kept === null) return null;
    const path = kept[0] === "+" ? stem(row) + kept.slice(1) : kept.slice(1);
    return "./" + path.split("/").map(encodeURIComponent).join("/");
  };

  const defaults = { q: "", sort: "", dir: "up", page: "1", view: "table" };
  for (const name of data.filters) defaults[name] = "";
  const state = {};
  const readState = () => {
    const found = new URLSearchParams(location.hash.slice(1));
    for (const [name, value] of Object.entries(defaults)) state[name] = found.get(name) ?? value;
  };
  const change = (values) => {
    Object.assign(state, { page: "1" }, values);
    const kept = Object.entries(state).filter(([name, value]) => value !== defaults[name]);
    location.replace("#" + new URLSearchParams(kept).toString());
  };

  let haystack = null;
  const matching = () => {
    const tests = [];
    for (const name of data.filters) {
      const column = columns.get(name);
      if (!state[name] || !column) continue;
      const code = column.levels ? column.levels.indexOf(state[name]) : -1;
      tests.push(column.levels ? (row) => column.values[row] === code : (row) => String(column.values[row]) === state[name]);
    }
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) {
      const reason = columns.get("reason");
      haystack ??= data.scans.map((scan, row) => (scan + " " + ((reason && cell(reason, row)) ?? "")).toLowerCase());
      tests.push((row) => words.every((word) => haystack[row].includes(word)));
    }
    const rows = [];
    for (let row = 0; row < total; row++) if (tests.every((test) => test(row))) rows.push(row);
    return sorted(rows);
  };

  const URGENCY = ["failed", "reject", "refer", "none", "accept"];
  const sorted = (rows) => {
    const column = columns.get(state.sort);
    if (!column) return rows;
    const way = state.dir === "down" ? -1 : 1;
    const key = state.sort === "verdict" ? (row) => URGENCY.indexOf(cell(column, row)) : (row) => cell(column, row);
    const compare = (a, b) => {
      const x = key(a), y = key(b);
      // Empty cells stay at the end whichever way the column is sorted.
      if (x === null || y === null) return x === y ? a - b : x === null ? 1 : -1;
      return x < y ? -way : x > y ? way : a - b;
    };
    return rows.sort(compare);
  };

  const badge = (row) => {
    const key = cell(columns.get("verdict"), row);
    const [word, sign] = data.words[key];
    return make("span", { className: `badge is-${key}` }, `${sign} ${word}`);
  };
  const breakable = (path) => path.split("/").flatMap((part, i) => (i ? ["/", make("wbr"), part] : [part]));
  const format = (name, value) => {
    if (value === null || value === undefined) return "";
    if (typeof value !== "number") return String(value);
    if (name === "brain_outside_fov") return (100 * value).toFixed(1) + " %";
    return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) >= 100 ? 0 : 3 });
  };

  const tableRow = (row) => {
    const tr = make("tr");
    for (const name of order) {
      const td = make("td", { className: `col-${name}` });
      const value = cell(columns.get(name), row);
      if (name === "verdict") td.append(badge(row));
      else if (name === "scan") {
        const page = address(data.page, row);
        td.append(page === null ? make("span", {}, ...breakable(value)) : make("a", { href: page }, ...breakable(value)));
      } else {
        if (typeof value === "number") td.className += " num";
        td.textContent = format(name, value);
      }
      tr.append(td);
    }
    return tr;
  };
  const table = (rows) => {
    const head = make("tr");
    for (const name of order) {
      const isSorted = state.sort === name;
      const arrow = !isSorted ? "" : state.dir === "down" ? " ↓" : " ↑";
      const button = make("button", { type: "button" }, columns.get(name).label + arrow);
      button.addEventListener("click", () => change({ sort: name, dir: isSorted && state.dir === "up" ? "down" : "up" }));
      const th = make("th", { scope: "col" }, button);
      if (isSorted) th.setAttribute("aria-sort", state.dir === "down" ? "descending" : "ascending");
      head.append(th);
    }
    const body = make("tbody");
    body.append(...rows.map(tableRow));
    return make("div", { className: "scroll" }, make("table", { className: "scans" }, make("thead", {}, head), body));
  };
  const sheet = (rows) => {
    const grid = make("div", { className: "sheet" });
    for (const row of rows) {
      const picture = address(data.picture, row);
      const frame = make("div", { className: "frame" });
      if (picture === null) frame.textContent = "no picture";
      else frame.append(make("img", { loading: "lazy", decoding: "async", alt: "", src: picture }));
      const page = address(data.page, row);
      const card = make(page === null ? "div" : "a", { className: "tile" }, frame, make("p", {}, badge(row), data.scans[row]));
      if (page !== null) card.href = page;
      grid.append(card);
    }
    return grid;
  };

  const controls = document.getElementById("controls");
  const search = make("input", { type: "search", placeholder: "Search name or reason", "aria-label": "Search name or reason" });
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ q: search.value }), 150);
  });
  controls.append(search);
  const selects = new Map();
  for (const name of data.filters) {
    const column = columns.get(name);
    const levels = column ? column.levels ?? [...new Set(column.values.filter((v) => v !== null).map(String))] : [];
    if (levels.length < 2) continue;
    const select = make("select", { "aria-label": column.label });
    select.append(make("option", { value: "" }, `${column.label}: all`));
    const ordered = name === "verdict" ? URGENCY.filter((key) => levels.includes(key)) : [...levels].sort();
    for (const level of ordered) select.append(make("option", { value: level }, name === "verdict" ? data.words[level][0] : level));
    select.addEventListener("change", () => change({ [name]: select.value }));
    selects.set(name, select);
    controls.append(select);
  }
  const toggle = make("button", { type: "button" }, "Contact sheet");
  toggle.addEventListener("click", () => change({ view: state.view === "sheet" ? "table" : "sheet" }));
  controls.append(toggle);

  const pager = document.getElementById("pager");
  const step = (text, page, last) => {
    const button = make("button", { type: "button", disabled: page < 1 || page > last }, text);
    button.addEventListener("click", () => { change({ page: String(page) }); document.getElementById("all").scrollIntoView(); });
    return button;
  };
  const render = () => {
    readState();
    if (search.value !== state.q) search.value = state.q;
    for (const [name, select] of selects) select.value = state[name];
    toggle.setAttribute("aria-pressed", String(state.view === "sheet"));
    const rows = matching();
    const size = PAGE[state.view] ?? PAGE.table;
    const last = Math.max(1, Math.ceil(rows.length / size));
    const page = Math.min(last, Math.max(1, Number.parseInt(state.page, 10) || 1));
    const shown = rows.slice((page - 1) * size, page * size);
    const empty = make("p", { className: "note" }, "No scan matches.");
    document.getElementById("rows").replaceChildren(!shown.length ? empty : state.view === "sheet" ? sheet(shown) : table(shown));
    const from = shown.length ? (page - 1) * size + 1 : 0;
    const count = make("span", { id: "count" }, `${from}–${from + Math.max(0, shown.length - 1)} of ${rows.length.toLocaleString("en")}`);
    pager.replaceChildren(step("Previous", page - 1, last), count, step("Next", page + 1, last));
  };
  addEventListener("hashchange", () => {
    render();
    if (document.activeElement?.closest?.(".counts, .failures")) document.getElementById("all").scrollIntoView();
  });
  render();
})();
