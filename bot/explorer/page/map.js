// The map of the catalogue: pan, zoom, hover, search; whatever is to be seen on it is drawn over the points.
(function () {
  "use strict";
  const { h, counted, state } = Segue;
  const WORLD = 100,
    MOST_LABELS = 46,
    TRIED_LABELS = 900,
    REACH = 14;
  const LIGHT = [
    "#5b3fd6",
    "#0f7a8c",
    "#c2410c",
    "#a21caf",
    "#3f7d20",
    "#b45309",
    "#1d4ed8",
    "#be123c",
    "#0f766e",
    "#6d4c41",
    "#7c3aed",
    "#64748b",
  ];
  const DARK = [
    "#a995ff",
    "#4fc3d9",
    "#ff9f68",
    "#f08bf5",
    "#94d66a",
    "#f2c14e",
    "#7fb0ff",
    "#ff8fa3",
    "#5ad1bd",
    "#c9a58f",
    "#c9a2ff",
    "#a8b5c7",
  ];

  const isDark = () => getComputedStyle(document.documentElement).colorScheme.trim() === "dark";
  const palette = () => (isDark() ? DARK : LIGHT);
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  function points(reply) {
    const n = reply.ids.length,
      positions = new Float32Array(2 * n),
      sizes = new Float32Array(n);
    const most = Math.log(reply.listeners[0] + 1),
      least = Math.log(reply.listeners[n - 1] + 1);
    const base = n > 8000 ? 1.6 : n > 2000 ? 2.6 : 4;
    for (let i = 0; i < n; i++) {
      positions[2 * i] = (reply.x[i] / 32767) * WORLD;
      positions[2 * i + 1] = (reply.y[i] / 32767) * WORLD;
      sizes[i] = base + 7 * Math.pow((Math.log(reply.listeners[i] + 1) - least) / Math.max(most - least, 1e-9), 2);
    }
    return { positions, sizes, row: new Map(reply.ids.map((id, i) => [id, i])) };
  }

  class CatalogueMap {
    constructor(reply, options) {
      this.reply = reply;
      this.options = options; // choose(id), hovered(id or null)
      Object.assign(this, points(reply));
      this.cluster = null; // the one that is picked out
      this.overlay = { lines: [], marks: [] };
      this.labels = h("div", { class: "labels", "aria-hidden": "true" });
      this.tip = h("div", { class: "tip", hidden: true });
      this.holder = h(
        "div",
        {
          class: "map",
          tabindex: "0",
          role: "application",
          "aria-label":
            "Map of artists. Arrow keys move it, plus and minus zoom, 0 shows all. The search box and the lists beside it say the same in words.",
        },
        this.labels,
        this.tip,
      );
      this.holder.addEventListener("keydown", (event) => this.key(event));
      this.holder.addEventListener("pointermove", (event) => this.hover(event));
      this.holder.addEventListener("pointerleave", () => this.leave());
      this.watch = new ResizeObserver(() => this.resized());
    }

    start() {
      const { width, height } = this.size();
      this.view = this.whole(width, height);
      this.deck = new window.deck.Deck({
        parent: this.holder,
        width: "100%",
        height: "100%",
        views: new window.deck.OrthographicView({ flipY: false }),
        viewState: this.view,
        controller: { keyboard: false, doubleClickZoom: true, inertia: false },
        layers: this.layers(),
        deviceProps: { webgl: { antialias: false } }, // points are smooth by themselves
        onViewStateChange: ({ viewState }) => this.look(viewState),
        onClick: ({ x, y }) => this.pick(x, y),
        onAfterRender: () => {
          if (!this.drawn) {
            this.drawn = true;
            this.holder.dataset.drawn = "true";
          }
        },
        onError: (error) => Segue.say(`The map cannot be drawn: ${error.message}`),
      });
      this.holder.prepend(...this.holder.querySelectorAll("canvas"));
      this.watch.observe(this.holder);
      this.label();
    }

    stop() {
      this.watch.disconnect();
      if (this.deck) this.deck.finalize();
      this.deck = null;
    }

    size() {
      return { width: Math.max(this.holder.clientWidth, 1), height: Math.max(this.holder.clientHeight, 1) };
    }

    whole(width, height) {
      return { target: [0, 0, 0], zoom: Math.log2(Math.min(width, height) / (2.1 * WORLD)), minZoom: -1, maxZoom: 9 };
    }

    resized() {
      this.label();
    }

    colors() {
      const { cluster } = this.reply,
        hues = palette().map(rgb),
        colors = new Uint8Array(4 * cluster.length);
      const quiet = this.overlay.marks.length > 1;
      for (let i = 0; i < cluster.length; i++) {
        colors.set(hues[cluster[i] % hues.length], 4 * i);
        const out = this.cluster !== null && this.cluster !== cluster[i];
        colors[4 * i + 3] = out ? 26 : quiet ? 70 : 200;
      }
      return colors;
    }

    layers() {
      const { deck } = window,
        ink = rgb(isDark() ? "#ffffff" : "#17131f"),
        { lines, marks } = this.overlay;
      const at = (row) => [this.positions[2 * row], this.positions[2 * row + 1]];
      this.painted = this.painted || this.colors();
      const layers = [
        Segue.dotsLayer({ id: "dots", positions: this.positions, colors: this.painted, sizes: this.sizes }),
      ];
      // Only what is there: each kind of layer has a program to compile, which the first view does not wait for.
      if (lines.length) {
        layers.push(
          new deck.PathLayer({
            id: "lines",
            data: lines,
            getPath: (line) => line.rows.map(at),
            getColor: (line) => [...ink, line.faint ? 90 : 220],
            getWidth: (line) => (line.faint ? 1.2 : 2.4),
            widthUnits: "pixels",
            jointRounded: true,
            capRounded: true,
          }),
        );
      }
      if (marks.length) {
        layers.push(
          new deck.ScatterplotLayer({
            id: "marks",
            data: marks,
            getPosition: (mark) => at(mark.row),
            radiusUnits: "pixels",
            lineWidthUnits: "pixels",
            getRadius: (mark) => (mark.strong ? 8 : 6),
            stroked: true,
            getLineColor: [...ink, 255],
            getLineWidth: 2,
            getFillColor: (mark) => [...rgb(palette()[this.reply.cluster[mark.row] % 12]), 255],
          }),
        );
      }
      return layers;
    }

    // Paint again; the points' colours too where they changed.
    paint(recolour) {
      if (!this.deck) return;
      if (recolour) this.painted = this.colors();
      this.deck.setProps({ layers: this.layers() });
      this.label();
    }

    look(viewState) {
      const bound = (value) => Math.min(Math.max(value, -1.3 * WORLD), 1.3 * WORLD);
      this.view = { ...viewState, target: [bound(viewState.target[0]), bound(viewState.target[1]), 0] };
      this.deck.setProps({ viewState: this.view });
      this.tip.hidden = true;
      this.label();
    }

    toScreen(row) {
      const { width, height } = this.size(),
        scale = 2 ** this.view.zoom,
        [x, y] = this.view.target;
      return [
        width / 2 + (this.positions[2 * row] - x) * scale,
        height / 2 - (this.positions[2 * row + 1] - y) * scale,
      ];
    }

    nearest(x, y, reach) {
      const { width, height } = this.size(),
        scale = 2 ** this.view.zoom,
        [tx, ty] = this.view.target;
      const wx = (x - width / 2) / scale + tx,
        wy = (height / 2 - y) / scale + ty,
        { positions } = this;
      let best = (reach / scale) ** 2,
        found = -1;
      for (let i = 0; i < positions.length; i += 2) {
        if (this.cluster !== null && this.reply.cluster[i / 2] !== this.cluster) continue;
        const distance = (positions[i] - wx) ** 2 + (positions[i + 1] - wy) ** 2;
        if (distance < best) {
          best = distance;
          found = i / 2;
        }
      }
      return found;
    }

    hover(event) {
      if (!this.view || event.pointerType === "touch") return;
      const box = this.holder.getBoundingClientRect(),
        row = this.nearest(event.clientX - box.left, event.clientY - box.top, REACH);
      this.holder.classList.toggle("over", row >= 0);
      if (row < 0) {
        this.tip.hidden = true;
        return;
      }
      const [x, y] = this.toScreen(row);
      this.tip.replaceChildren(
        h("b", null, this.reply.names[row]),
        h("span", null, counted(this.reply.listeners[row], "listener")),
        h("span", { class: "muted" }, this.reply.cluster_names[this.reply.cluster[row]]),
      );
      this.tip.hidden = false;
      const { width } = this.size(),
        room = this.tip.offsetWidth / 2 + 6;
      this.tip.style.transform = `translate(${Math.min(Math.max(x, room), width - room)}px, ${y < 90 ? y + 16 : y - 12}px) translate(-50%, ${y < 90 ? "0" : "-100%"})`;
    }

    leave() {
      this.tip.hidden = true;
    }

    pick(x, y) {
      const row = this.nearest(x, y, REACH + 6);
      if (row >= 0) this.options.choose(this.reply.ids[row]);
    }

    key(event) {
      const step = 60 / 2 ** this.view.zoom,
        [x, y] = this.view.target;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
      const zooms = { "+": 0.5, "=": 0.5, "-": -0.5 };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (moves[event.key]) this.look({ ...this.view, target: [x + moves[event.key][0], y + moves[event.key][1], 0] });
      else if (zooms[event.key]) this.zoom(zooms[event.key]);
      else if (event.key === "0") this.showAll();
      else return;
      event.preventDefault();
    }

    zoom(by) {
      this.look({ ...this.view, zoom: Math.min(Math.max(this.view.zoom + by, this.view.minZoom), this.view.maxZoom) });
    }

    showAll() {
      const { width, height } = this.size();
      this.look(this.whole(width, height));
    }

    // Show some artists, with room around them.
    frame(rows) {
      if (!rows.length) return;
      const xs = rows.map((row) => this.positions[2 * row]),
        ys = rows.map((row) => this.positions[2 * row + 1]);
      const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
      const { width, height } = this.size();
      const zoom = Math.log2(Math.min(width / (right - left + 16), height / (high - low + 16)) * 0.86);
      this.look({ ...this.view, target: [(left + right) / 2, (low + high) / 2, 0], zoom: Math.min(zoom, 5) });
    }

    draw(overlay) {
      const wasQuiet = this.overlay.marks.length > 1;
      const wasEmpty = this.overlay.marks.length + this.overlay.lines.length === 0;
      this.overlay = overlay;
      if (wasEmpty && overlay.marks.length + overlay.lines.length === 0) return;
      this.paint(wasQuiet !== overlay.marks.length > 1);
    }

    pickOut(cluster) {
      this.cluster = cluster;
      this.paint(true);
    }

    // Names where there is room: of what is drawn over the points first, then of the most heard.
    label() {
      if (!this.view) return;
      const { width, height } = this.size(),
        taken = [],
        shown = [];
      const put = (row, text, kind, always) => {
        const [x, y] = this.toScreen(row),
          half = Math.min(text.length, 26) * 3.5 + 6;
        const boxAt = (dy) => [x - half, y + dy - 10, x + half, y + dy + 10];
        const isFree = (box) =>
          !taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1]);
        if (x < 0 || x > width || y < 10 || y > height || x - half < 2 || x + half > width - 2) return;
        // Above its point; what has to be named goes below, or further off, where another name is.
        const dy = (kind ? [-18, 20, -40, 42] : [-16]).find((one) => isFree(boxAt(one))) ?? (always ? -18 : null);
        if (dy === null) return;
        taken.push(boxAt(dy));
        shown.push(
          h(
            "span",
            { class: kind || null, style: { transform: `translate(${x}px, ${y + dy}px) translate(-50%, -50%)` } },
            Segue.clip(text, 26),
          ),
        );
      };
      for (const mark of this.overlay.marks)
        put(mark.row, mark.text || this.reply.names[mark.row], "strong", mark.strong);
      if (this.overlay.marks.length <= 1) {
        const marked = new Set(this.overlay.marks.map((mark) => mark.row));
        for (
          let row = 0, tried = 0;
          row < this.reply.ids.length && tried < TRIED_LABELS && shown.length < MOST_LABELS;
          row++
        ) {
          if (marked.has(row) || (this.cluster !== null && this.reply.cluster[row] !== this.cluster)) continue;
          const [x, y] = this.toScreen(row);
          if (x < 0 || x > width || y < 0 || y > height) continue;
          tried++;
          put(row, this.reply.names[row], null);
        }
      }
      this.labels.replaceChildren(...shown);
    }

    // The nearest on the map, for those who do not see it.
    around(row, n) {
      const { positions } = this,
        x = positions[2 * row],
        y = positions[2 * row + 1],
        all = [];
      for (let i = 0; i < this.reply.ids.length; i++) {
        if (i !== row) all.push([(positions[2 * i] - x) ** 2 + (positions[2 * i + 1] - y) ** 2, i]);
      }
      return all
        .sort((a, b) => a[0] - b[0])
        .slice(0, n)
        .map(([, i]) => i);
    }
  }

  function legend(map) {
    const buttons = map.reply.cluster_names.map((name, cluster) =>
      h(
        "button",
        {
          type: "button",
          class: "cluster",
          "aria-pressed": "false",
          onclick: (event) => {
            const chosen = map.cluster === cluster ? null : cluster;
            map.pickOut(chosen);
            for (const button of event.currentTarget.parentNode.children) button.setAttribute("aria-pressed", "false");
            event.currentTarget.setAttribute("aria-pressed", String(chosen !== null));
          },
        },
        h("span", { class: `dot cluster-${cluster + 1}` }),
        name,
      ),
    );
    return h(
      "details",
      { class: "card legend", open: window.innerWidth > 900 },
      h("summary", null, "Clusters, by their best-known artists"),
      h("div", { class: "clusters" }, buttons),
    );
  }

  Object.assign(Segue, { CatalogueMap, mapLegend: legend, isDark });
})();
