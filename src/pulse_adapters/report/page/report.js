"use strict";
(() => {
  Bokeh.set_log_level("warn");
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);

  // Figures name colours by tokens (see figures/style.py); each stands for a variable of the style sheet.
  const colours = JSON.parse(root.dataset.colours);
  const tokens = new RegExp(Object.keys(colours).join("|"), "g");
  const coloured = (text) => {
    const style = getComputedStyle(root);
    return text.replace(tokens, (token) => style.getPropertyValue(colours[token]).trim());
  };

  const unpacked = new Map();
  const unpack = (id) => {
    if (!unpacked.has(id)) {
      const bytes = Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      unpacked.set(id, new Response(stream).text());
    }
    return unpacked.get(id);
  };

  // One drawing after the other for each group of plots, so that a change of theme never meets a half-drawn plot.
  const drawing = new Map();
  const draw = (panels) => {
    const before = drawing.get(panels) || Promise.resolve();
    const after = before.then(async () => {
      const theme = root.dataset.theme;
      if (panels.dataset.drawn === theme) return;
      const items = JSON.parse(coloured(await unpack(panels.dataset.packed)));
      for (const view of panels.views || []) view.clear ? view.clear() : view.remove();
      panels.views = [];
      for (const plot of panels.querySelectorAll(".plot")) {
        plot.replaceChildren();
        const views = await Bokeh.embed.embed_item(items[Number(plot.dataset.place)], plot.id);
        panels.views.push(views);
      }
      panels.dataset.drawn = theme;
    });
    drawing.set(panels, after);
    return after;
  };
  const groups = () => [...document.querySelectorAll(".panels")];
  const shown = (panels) => {
    const folder = panels.closest("details.variable");
    return !folder || folder.open;
  };
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting && shown(entry.target)) draw(entry.target);
  }, { rootMargin: "400px" });
  groups().forEach((panels) => near.observe(panels));

  // theme
  const toggle = byId("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (name) => {
    root.dataset.theme = name;
    toggle.textContent = name === "dark" ? "Light" : "Dark";  // what pressing it brings
    toggle.setAttribute("aria-label", `${toggle.textContent} colours`);
    groups().filter((panels) => panels.dataset.drawn).forEach(draw);
  };
  let chosen = false;
  toggle.addEventListener("click", () => {
    chosen = true;
    apply(root.dataset.theme === "dark" ? "light" : "dark");
  });
  dark.addEventListener("change", () => { if (!chosen) apply(dark.matches ? "dark" : "light"); });
  apply(dark.matches ? "dark" : "light");

  // a link to a variable opens it
  const open = () => {
    const target = location.hash ? byId(location.hash.slice(1)) : null;
    if (target && target.matches("details.variable")) {
      target.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", open);
  byId("table").addEventListener("click", (event) => { if (event.target.matches("a[href^='#']")) setTimeout(open); });
  open();

  // print
  byId("print-all").addEventListener("click", async () => {
    document.querySelectorAll("details.variable").forEach((one) => { one.open = true; });
    for (const panels of groups()) await draw(panels);
    print();
  });

  // the table: sort, find, pages
  const PAGE = 25;
  const body = byId("table").tBodies[0];
  const rows = [...body.rows];
  const heads = [...byId("table").tHead.rows[0].cells];
  const horizon = byId("horizon");
  const find = byId("find");
  let page = 0;
  const show = () => {
    const wanted = find.value.trim().toLowerCase();
    const ahead = horizon ? horizon.value : "1";
    const found = [...body.rows].filter((row) => row.dataset.horizon === ahead
      && (!wanted || `${row.cells[0].dataset.sort} ${row.cells[1].dataset.sort}`.toLowerCase().includes(wanted)));
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(page, pages - 1);
    rows.forEach((row) => { row.hidden = true; });
    found.slice(page * PAGE, (page + 1) * PAGE).forEach((row) => { row.hidden = false; });
    byId("previous").disabled = page === 0;
    byId("next").disabled = page === pages - 1;
    byId("previous").hidden = byId("next").hidden = pages === 1;
    const last = Math.min((page + 1) * PAGE, found.length);
    byId("shown").textContent = found.length ? `${page * PAGE + 1}\u2013${last} of ${found.length.toLocaleString("en")}` : "None found";
  };
  const sort = (head) => {
    const column = heads.indexOf(head);
    const now = head.getAttribute("aria-sort");
    const up = now ? now === "descending" : !("down" in head.dataset);
    heads.forEach((one) => one.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.sort;
    const text = new Intl.Collator("en", { numeric: true }).compare;
    const compare = (one, other) => {
      const [left, right] = [key(one), key(other)];
      if (left === "" || right === "") return (left === "") - (right === "");  // what has no value stands last
      const order = head.dataset.kind === "number" ? left - right : text(left, right);
      return up ? order : -order;
    };
    rows.sort(compare);
    body.append(...rows);
    page = 0;
    show();
  };
  heads.forEach((head) => {
    const button = head.querySelector("button");
    if (button) button.addEventListener("click", () => sort(head));
  });
  byId("previous").addEventListener("click", () => { page -= 1; show(); });
  byId("next").addEventListener("click", () => { page += 1; show(); });
  find.addEventListener("input", () => { page = 0; show(); });
  find.form.addEventListener("submit", (event) => event.preventDefault());
  if (horizon) horizon.addEventListener("change", () => { page = 0; show(); });
  show();
})();
