// An artist and its nearest two as circles: areas are listeners, overlaps of two are their common listeners.
(function () {
  "use strict";
  const { h, svg, count, counted, clip, colour } = Segue;

  const told = (n) => (n === null ? "fewer than 5" : count(n));

  function table(reply, names) {
    const rows = reply.pairs.map((pair) =>
      h(
        "tr",
        null,
        h("th", { scope: "row" }, `${names.get(pair.first)} and ${names.get(pair.second)}`),
        h("td", null, told(pair.common)),
      ),
    );
    return h(
      "table",
      { class: "plain" },
      h("caption", { class: "unseen" }, "Listeners in common"),
      h(
        "tbody",
        null,
        rows,
        h("tr", null, h("th", { scope: "row" }, "all three"), h("td", null, told(reply.common_to_all))),
      ),
    );
  }

  function overlap(reply, index) {
    const heading = h("h3", null, h("span", { class: "dot", style: { background: colour(index) } }), reply.model);
    if (reply.outcome !== "overlap")
      return h("div", { class: "card overlap" }, heading, h("p", { class: "empty" }, reply.said));
    const { circles } = reply,
      names = new Map(circles.map((one) => [one.artist.id, one.artist.name]));
    const left = Math.min(...circles.map((one) => one.x - one.radius)),
      right = Math.max(...circles.map((one) => one.x + one.radius));
    const low = Math.min(...circles.map((one) => one.y - one.radius)),
      high = Math.max(...circles.map((one) => one.y + one.radius));
    const [width, height] = [320, 240],
      margin = 26;
    const scale = Math.min((width - 2 * margin) / (right - left), (height - 2 * margin) / (high - low));
    const X = (x) => width / 2 + (x - (left + right) / 2) * scale,
      Y = (y) => height / 2 - (y - (low + high) / 2) * scale;
    const centre = {
      x: circles.reduce((sum, one) => sum + one.x / 3, 0),
      y: circles.reduce((sum, one) => sum + one.y / 3, 0),
    };
    const labels = circles.map((one) => {
      // Outwards from the middle, where the circle is its own.
      const [dx, dy] = [one.x - centre.x, one.y - centre.y],
        length = Math.hypot(dx, dy) || 1;
      const away = one.radius * 0.42;
      const x = Math.min(Math.max(X(one.x + (dx / length) * away), 60), width - 60),
        y = Y(one.y + (dy / length) * away);
      return svg(
        "text",
        { x, y, "text-anchor": "middle" },
        svg("tspan", { x, class: "who" }, clip(one.artist.name, 18)),
        svg("tspan", { x, dy: 15, class: "size" }, count(one.artist.listeners)),
      );
    });
    const said = circles.map((one) => `${one.artist.name}, ${counted(one.artist.listeners, "listener")}`).join("; ");
    const drawing = svg(
      "svg",
      {
        class: "circles",
        viewBox: `0 0 ${width} ${height}`,
        role: "img",
        "aria-label": `Circles of listeners: ${said}. The common listeners stand in the table below.`,
      },
      circles.map((one, place) =>
        svg("circle", { cx: X(one.x), cy: Y(one.y), r: one.radius * scale, class: `set set-${place + 1}` }),
      ),
      labels,
    );
    return h("div", { class: "card overlap" }, heading, drawing, table(reply, names));
  }

  Segue.overlap = overlap;
})();
