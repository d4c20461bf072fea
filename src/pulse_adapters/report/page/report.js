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

  // The plots of a group, each as text.
  const unpacked = new Map();
  const unpack = (id) => {
    if (!unpacked.has(id)) {
      const bytes = Uint8Array.from(atob(byId(id).textContent), (letter) => letter.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      unpacked.set(id, new Response(stream).json());
    }
    return unpacked.get(id);
  };

  // A plot is drawn when it comes near, and again for another theme; never twice at a time.
  const plots = [...document.querySelectorAll(".plot")];
  const drawing = new Map();
  const draw = (plot) => {
    const drawn = (drawing.get(plot) || Promise.resolve()).then(async () => {
      const theme = root.dataset.theme;
      if (plot.dataset.drawn === theme) return;
      const texts = await unpack(plot.closest(".panels").dataset.packed);
      const item = JSON.parse(coloured(texts[Number(plot.dataset.index)]));
      if (plot.views) plot.views.clear();
      plot.replaceChildren();
      plot.views = await Bokeh.embed.embed_item(item, plot.id);
      plot.dataset.drawn = theme;
    });
    drawing.set(plot, drawn);
    return drawn;
  };
  const near = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
  }, { rootMargin: "300px" });
  plots.forEach((plot) => near.observe(plot));

  // theme
  const toggle = byId("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (name) => {
    root.dataset.theme = name;
    toggle.textContent = name === "dark" ? "Light" : "Dark";  // the theme that pressing it brings
    toggle.setAttribute("aria-label", `${toggle.textContent} colours`);
    plots.filter((plot) => plot.dataset.drawn).forEach(draw);
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
    await Promise.all(plots.map(draw));
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
      if (left === "" || right === "") return (left === "") - (right === "");  // rows without a value come last
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
