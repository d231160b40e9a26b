// A slope graph of ranks: one column a model, a line for each artist that two neighbouring columns have.
(function () {
  "use strict";
  const { svg, h, clip, colour, mark } = Segue;
  const ROW = 27,
    TOP = 46,
    DOT = 4.5;

  function kind(left, right) {
    if (right < left) return "rise";
    return right > left ? "fall" : "same";
  }

  function place(width, n) {
    // Labels stand outside the first and the last column, and over the lines at those between.
    const label = Math.min(230, Math.max(122, width * (n === 2 ? 0.41 : 0.2)));
    const inner = width - 2 * label;
    return { label, x: (column) => label + (n === 1 ? 0 : (inner * column) / (n - 1)) };
  }

  const y = (rank) => TOP + (rank - 0.5) * ROW;

  function lines(columns, x) {
    const drawn = [];
    for (let column = 0; column + 1 < columns.length; column++) {
      const there = new Map(columns[column + 1].reply.rows.map((row) => [row.artist.id, row]));
      for (const row of columns[column].reply.rows) {
        const other = there.get(row.artist.id);
        if (!other) continue;
        const [x1, x2, bend] = [x(column) + 8, x(column + 1) - 8, (x(column + 1) - x(column)) * 0.42];
        drawn.push(
          svg("path", {
            class: `slope ${kind(row.rank, other.rank)}`,
            "data-artist": row.artist.id,
            d: `M${x1} ${y(row.rank)} C${x1 + bend} ${y(row.rank)} ${x2 - bend} ${y(other.rank)} ${x2} ${y(other.rank)}`,
          }),
        );
      }
    }
    return drawn;
  }

  function points(columns, x, label) {
    const last = columns.length - 1,
      letters = Math.floor((label - 38) / 7.2);
    return columns.flatMap(({ reply, colour: index }, column) => {
      const known = columns.map(
        (one, other) => other !== column && new Set(one.reply.rows.map((row) => row.artist.id)),
      );
      return reply.rows.map((row) => {
        const shared = known.some((ids) => ids && ids.has(row.artist.id));
        const atLeft = column === 0,
          between = !atLeft && column !== last;
        const text = svg(
          "text",
          {
            class: between ? "between" : null,
            x: atLeft ? x(column) - 14 : x(column) + 14,
            y: y(row.rank) + 4.5,
            "text-anchor": atLeft ? "end" : "start",
          },
          between
            ? clip(row.artist.name, 16)
            : atLeft
              ? `${clip(row.artist.name, letters)}  ${row.rank}`
              : `${row.rank}  ${clip(row.artist.name, letters)}`,
        );
        const dot = svg("circle", {
          cx: x(column),
          cy: y(row.rank),
          r: DOT,
          class: shared ? "known" : "alone",
          style: { "--dot": colour(index) },
        });
        return svg(
          "g",
          {
            class: shared ? "point" : "point alone",
            "data-artist": row.artist.id,
            onpointerenter: () => mark(row.artist.id),
            onpointerleave: () => mark(null),
            onclick: () => Segue.state.go({ view: "compare", artist: row.artist.id }),
          },
          svg("title", null, `${row.artist.name}: rank ${row.rank} by ${reply.model}`),
          dot,
          text,
        );
      });
    });
  }

  // The same in words, for those who do not see the drawing.
  function summary(columns) {
    const [first, last] = [columns[0], columns[columns.length - 1]];
    const there = new Map(last.reply.rows.map((row) => [row.artist.id, row.rank]));
    const before = new Set(first.reply.rows.map((row) => row.artist.id));
    const both = first.reply.rows.filter((row) => there.has(row.artist.id));
    const moved = both.map((row) => ({ name: row.artist.name, from: row.rank, to: there.get(row.artist.id) }));
    const most = (sign) =>
      moved
        .filter((one) => sign * (one.from - one.to) > 0)
        .sort((a, b) => sign * (b.from - b.to - a.from + a.to))
        .slice(0, 2)
        .map((one) => `${one.name} (${one.from} to ${one.to})`)
        .join(" and ");
    const [rises, falls] = [most(1), most(-1)];
    const onlyLast = last.reply.rows.filter((row) => !before.has(row.artist.id)).length;
    return [
      `${both.length} artists stand in both lists, ${first.reply.rows.length - both.length} only by ${first.reply.model}, ${onlyLast} only by ${last.reply.model}.`,
      rises && `Rising most: ${rises}.`,
      falls && `Falling most: ${falls}.`,
    ]
      .filter(Boolean)
      .join(" ");
  }

  // Columns: {reply, colour}, two or more with rows.
  function slopeGraph(columns, room) {
    const width = Math.max(room, columns.length > 2 ? 170 * columns.length + 150 : 300);
    const { label, x } = place(width, columns.length);
    const n = Math.max(...columns.map(({ reply }) => reply.rows.length));
    const words = summary(columns);
    const heads = columns.map(({ reply, colour: index }, column) =>
      svg(
        "text",
        {
          class: "head",
          x: x(column),
          y: 20,
          style: { fill: colour(index) },
          "text-anchor": column === 0 ? "end" : column === columns.length - 1 ? "start" : "middle",
        },
        clip(reply.model, 22),
      ),
    );
    const drawing = svg(
      "svg",
      {
        class: "slopes",
        viewBox: `0 0 ${width} ${TOP + n * ROW + 8}`,
        width,
        height: TOP + n * ROW + 8,
        role: "img",
        "aria-label": `Slope graph of ranks. ${words}`,
      },
      heads,
      lines(columns, x),
      points(columns, x, label),
    );
    return h(
      "figure",
      { class: "card" },
      h(
        "div",
        {
          class: "scroll",
          tabindex: width > room ? "0" : null,
          role: width > room ? "group" : null,
          "aria-label": width > room ? "Slope graph, scrolls sideways" : null,
        },
        drawing,
      ),
      h(
        "figcaption",
        null,
        h("span", { class: "key rise" }, "rises"),
        h("span", { class: "key fall" }, "falls"),
        h("span", { class: "key same" }, "stays"),
        h("span", { class: "key alone" }, "only this list"),
        h("span", { class: "words" }, words),
      ),
    );
  }

  Segue.slopeGraph = slopeGraph;
})();
