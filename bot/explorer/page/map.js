// The map of the catalogue: pan, zoom, hover, search; whatever is to be seen on it is drawn over the points.
(function () {
  "use strict";
  const { h, svg, counted, palette, rgb } = Segue;
  const WORLD = 100,
    MOST_LABELS = 46,
    TRIED_LABELS = 900,
    REACH = 14,
    FURTHEST = -1,
    NEAREST = 9;
  function points(reply) {
    const n = reply.ids.length,
      positions = new Float32Array(2 * n),
      sizes = new Float32Array(n);
    const heard = reply.listeners.map((one) => Math.log(one + 1));
    const most = heard.reduce((a, b) => Math.max(a, b)),
      least = heard.reduce((a, b) => Math.min(a, b));
    const base = n > 8000 ? 1.6 : n > 2000 ? 2.6 : 4;
    for (let i = 0; i < n; i++) {
      positions[2 * i] = (reply.x[i] / 32767) * WORLD;
      positions[2 * i + 1] = (reply.y[i] / 32767) * WORLD;
      sizes[i] = base + 7 * ((heard[i] - least) / Math.max(most - least, 1e-9)) ** 2;
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
      this.drawing = svg("svg", { class: "drawing", "aria-hidden": "true" });
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
        this.drawing,
        this.labels,
        this.tip,
      );
      Segue.gestures(this.holder, {
        moved: (dx, dy) => this.shift(dx, dy),
        zoomed: (by, x, y) => this.zoom(by, x, y),
        clicked: (x, y) => this.pick(x, y),
      });
      this.holder.addEventListener("keydown", (event) => this.key(event));
      this.holder.addEventListener("pointermove", (event) => this.hover(event));
      this.holder.addEventListener("pointerleave", () => this.leave());
      this.watch = new ResizeObserver(() => this.resized());
    }

    // The first picture is made by hand, at once; WebGL takes over where a graphics card computes it.
    start() {
      this.measure();
      this.view = this.whole();
      this.colors = this.colours();
      this.use(Segue.pixelDots(this, this.ground()));
      this.watch.observe(this.holder);
      this.paint();
      const card = this.options.dots ? Promise.resolve(this.options.dots === "webgl") : Segue.hasGraphicsCard();
      card.then((has) => has && !this.stopped && this.useWebGL());
    }

    useWebGL() {
      const dots = Segue.webglDots(this, () => {
        if (this.stopped) return;
        this.use(Segue.pixelDots(this, this.ground()));
        this.paint();
      });
      if (!dots) return;
      this.use(dots);
      this.paint();
    }

    use(dots) {
      if (this.dots) {
        this.dots.stop();
        this.dots.canvas.remove();
      }
      this.dots = dots;
      this.holder.prepend(dots.canvas);
    }

    stop() {
      this.stopped = true;
      this.watch.disconnect();
      if (this.dots) this.dots.stop();
    }

    measure() {
      this.size = {
        width: Math.max(this.holder.clientWidth, 1),
        height: Math.max(this.holder.clientHeight, 1),
        ratio: Math.min(window.devicePixelRatio || 1, 2),
      };
    }

    whole() {
      return { target: [0, 0], zoom: Math.log2(Math.min(this.size.width, this.size.height) / (2.1 * WORLD)) };
    }

    resized() {
      this.measure();
      this.paint();
    }

    ground() {
      return getComputedStyle(this.holder)
        .backgroundColor.match(/[\d.]+/g)
        .slice(0, 3)
        .map(Number);
    }

    colours() {
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

    // Lines and marks, some dozens at most.
    draws() {
      const at = (row) => this.toScreen(row).map((value) => value.toFixed(1));
      this.drawing.replaceChildren(
        ...this.overlay.lines.map((line) =>
          svg("polyline", { class: line.faint ? "faint" : null, points: line.rows.map((row) => at(row)).join(" ") }),
        ),
        ...this.overlay.marks.map((mark) => {
          const [cx, cy] = at(mark.row),
            fill = palette()[this.reply.cluster[mark.row] % 12];
          return svg("circle", { cx, cy, r: mark.strong ? 8 : 6, style: { fill } });
        }),
      );
    }

    // Paint again, at the next frame; the points' colours too where they changed.
    paint(recolour) {
      if (!this.dots || this.stopped) return;
      this.recolours = this.recolours || recolour;
      if (this.waits) return;
      this.waits = true;
      requestAnimationFrame(() => {
        this.waits = false;
        if (this.stopped) return;
        if (this.recolours) {
          this.colors = this.colours();
          this.dots.recolour(this.colors, this.ground());
          this.recolours = false;
        }
        this.dots.draw(this.view, this.size);
        this.draws();
        this.label();
        this.holder.dataset.drawn = "true";
      });
    }

    look(view) {
      const bound = (value, most) => Math.min(Math.max(value, -most), most);
      this.view = {
        target: view.target.map((value) => bound(value, 1.3 * WORLD)),
        zoom: Math.min(Math.max(view.zoom, FURTHEST), NEAREST),
      };
      this.tip.hidden = true;
      this.paint();
    }

    shift(dx, dy) {
      const scale = 2 ** this.view.zoom,
        [x, y] = this.view.target;
      this.look({ ...this.view, target: [x - dx / scale, y + dy / scale] });
    }

    toScreen(row) {
      const { width, height } = this.size,
        scale = 2 ** this.view.zoom,
        [x, y] = this.view.target;
      return [
        width / 2 + (this.positions[2 * row] - x) * scale,
        height / 2 - (this.positions[2 * row + 1] - y) * scale,
      ];
    }

    nearest(x, y, reach) {
      const { width, height } = this.size,
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
      if (!this.view || event.buttons || event.pointerType === "touch") return;
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
      const { width } = this.size,
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
      if (moves[event.key]) this.look({ ...this.view, target: [x + moves[event.key][0], y + moves[event.key][1]] });
      else if (zooms[event.key]) this.zoom(zooms[event.key]);
      else if (event.key === "0") this.showAll();
      else return;
      event.preventDefault();
    }

    // Zoom by powers of two; the point of the map that is at x, y stays there, else the middle.
    zoom(by, x = this.size.width / 2, y = this.size.height / 2) {
      const { width, height } = this.size,
        { target, zoom } = this.view;
      const wanted = Math.min(Math.max(zoom + by, FURTHEST), NEAREST),
        gained = 1 / 2 ** zoom - 1 / 2 ** wanted;
      this.look({ target: [target[0] + (x - width / 2) * gained, target[1] + (height / 2 - y) * gained], zoom: wanted });
    }

    showAll() {
      this.look(this.whole());
    }

    // Show some artists, with room around them.
    frame(rows) {
      if (!rows.length) return;
      const xs = rows.map((row) => this.positions[2 * row]),
        ys = rows.map((row) => this.positions[2 * row + 1]);
      const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
      const { width, height } = this.size;
      const zoom = Math.log2(Math.min(width / (right - left + 16), height / (high - low + 16)) * 0.86);
      this.look({ ...this.view, target: [(left + right) / 2, (low + high) / 2], zoom: Math.min(zoom, 5) });
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
      const { width, height } = this.size,
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
        const dy = (kind ? [-18, 20, -40, 42, -62, 64] : [-16]).find((one) => isFree(boxAt(one))) ?? (always ? -18 : null);
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
      for (const mark of this.overlay.marks) {
        const [x, y] = this.toScreen(mark.row);
        taken.push([x - 7, y - 7, x + 7, y + 7]); // no name covers a mark
      }
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

  Segue.CatalogueMap = CatalogueMap;
})();
