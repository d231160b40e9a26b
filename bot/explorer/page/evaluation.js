// The third view: what each model is, what its lists are like, how far they agree, and a report made elsewhere.
(function () {
  "use strict";
  const { h, svg, count, colour } = Segue;
  const percent = (share) => `${(100 * share).toFixed(1)} %`;

  function table(caption, heads, rows) {
    return h(
      "section",
      { class: "card" },
      h("h3", null, caption),
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "group", "aria-label": `${caption}, scrolls sideways` },
        h(
          "table",
          { "aria-label": caption },
          h(
            "thead",
            null,
            h(
              "tr",
              null,
              heads.map((head) => h("th", { scope: "col" }, head)),
            ),
          ),
          h("tbody", null, rows),
        ),
      ),
    );
  }

  // A point and its interval on a line from low to high.
  function whisker(estimate, low, high, index) {
    const [width, height] = [150, 20],
      x = (value) => 6 + ((value - low) / Math.max(high - low, 1e-9)) * (width - 12);
    return svg(
      "svg",
      { class: "whisker", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
      svg("line", { class: "axis", x1: 6, x2: width - 6, y1: 10, y2: 10 }),
      estimate.low !== null &&
        svg("line", {
          class: "range",
          x1: x(estimate.low),
          x2: x(estimate.high),
          y1: 10,
          y2: 10,
          style: { stroke: colour(index) },
        }),
      svg("circle", { cx: x(estimate.mean), cy: 10, r: 4, style: { fill: colour(index) } }),
    );
  }

  const interval = (one) => `${percent(one.mean)} (${percent(one.low)} to ${percent(one.high)})`;
  const named = (id, models) =>
    h(
      "th",
      { scope: "row" },
      h("span", { class: "dot", style: { background: colour(models.findIndex((card) => card.id === id)) } }),
      id,
    );

  function cards(models) {
    return table(
      "The models",
      ["model", "preset", "compares by", "data", "listeners", "artists", "pairs", "trained"],
      models.map((card) =>
        h(
          "tr",
          null,
          named(card.id, models),
          h("td", null, card.preset),
          h("td", null, Segue.describe(card)),
          h("td", null, card.data + (card.synthetic ? " (synthetic listeners)" : "")),
          [card.n_listeners, card.n_artists, card.n_pairs].map((n) => h("td", { class: "number" }, count(n))),
          h("td", null, card.created.slice(0, 10)),
        ),
      ),
    );
  }

  function figures(reply, models) {
    const heads = [
      "model",
      "artists answered",
      "artists in some list",
      "hub skew",
      "most lists one artist is in",
      "rows with a common listener",
      "how well known the rows are",
    ];
    return table(
      "What the lists are like",
      heads,
      reply.figures.map((one) => {
        const index = models.findIndex((card) => card.id === one.model);
        return h(
          "tr",
          null,
          named(one.model, models),
          h("td", { class: "number" }, percent(one.answered)),
          h("td", { class: "number" }, percent(one.coverage)),
          h("td", { class: "number" }, one.hub_skew.toFixed(2)),
          h("td", { class: "number" }, count(one.largest_hub)),
          [one.shared, one.familiarity].map((value) =>
            h("td", null, whisker(value, 0, 1, index), h("span", { class: "small" }, interval(value))),
          ),
        );
      }),
    );
  }

  function agreements(reply, models) {
    const share = new Map(
      reply.agreements.flatMap((one) => [
        [`${one.first}\n${one.second}`, one.share],
        [`${one.second}\n${one.first}`, one.share],
      ]),
    );
    return table(
      "Agreement: of ten similar artists, how many are the same",
      ["", ...models.map((card) => card.id)],
      models.map((row) =>
        h(
          "tr",
          null,
          named(row.id, models),
          models.map((column) => {
            if (row === column) return h("td", { class: "self" }, "–");
            const value = share.get(`${row.id}\n${column.id}`);
            if (!value) return h("td", null, "no common artist");
            return h(
              "td",
              { class: "heat", style: { "--heat": `${Math.round(value.mean * 60)}%` } },
              h("b", null, (10 * value.mean).toFixed(1)),
              h("span", { class: "small" }, ` ${(10 * value.low).toFixed(1)} to ${(10 * value.high).toFixed(1)}`),
            );
          }),
        ),
      ),
    );
  }

  function report(reply) {
    const metrics = [...new Set(reply.report.map((one) => one.metric))],
      systems = [...new Set(reply.report.map((one) => one.system))];
    return metrics.map((metric) => {
      const rows = reply.report.filter((one) => one.metric === metric);
      const low = Math.min(...rows.map((one) => one.low ?? one.value)),
        high = Math.max(...rows.map((one) => one.high ?? one.value));
      const room = (high - low) * 0.1;
      return table(
        metric,
        ["system", "value", "95 % interval"],
        rows.map((one) =>
          h(
            "tr",
            null,
            h("th", { scope: "row" }, one.system),
            h("td", { class: "number" }, one.value.toPrecision(4)),
            h(
              "td",
              null,
              whisker(
                { mean: one.value, low: one.low, high: one.high },
                low - room,
                high + room,
                systems.indexOf(one.system),
              ),
              one.low !== null &&
                h("span", { class: "small" }, `${one.low.toPrecision(3)} to ${one.high.toPrecision(3)}`),
            ),
          ),
        ),
      );
    });
  }

  Segue.views.evaluation = async function (view, context, now, isCurrent) {
    const reply = await Segue.ask("evaluation", {});
    if (!isCurrent()) return null;
    view.replaceChildren(
      h("h1", null, "Evaluation"),
      h("p", { class: "lead muted" }, reply.said),
      figures(reply, context.models),
      context.models.length > 1 ? agreements(reply, context.models) : "",
      ...(reply.report.length
        ? [h("h2", null, "Offline evaluation"), ...report(reply)]
        : [
            h(
              "p",
              { class: "muted" },
              "Figures of an offline evaluation appear here: segue evaluate --json > FILE, then segue explore --evaluation FILE.",
            ),
          ]),
      cards(context.models),
    );
    return null;
  };
})();
