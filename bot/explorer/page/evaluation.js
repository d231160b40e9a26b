// The third view: what each model is, what its lists are like, how far they agree, and what members voted, and a
// report made elsewhere.
(function () {
  "use strict";
  const { h, svg, count, counted, colour, state } = Segue;
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
      "Figures of each table",
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

  // Which report: of an experiment, of the one that runs, of everything. It is asked anew whenever it is wanted.
  function chooser(reply, now) {
    const select = h(
      "select",
      {
        onchange: (event) => {
          const everything = event.target.value === "*";
          state.go({ everything: everything ? "1" : "", experiment: everything ? "" : event.target.value });
        },
      },
      h("option", { value: "", selected: !now.experiment && !now.everything }, "the one that runs, else all answers"),
      h("option", { value: "*", selected: Boolean(now.everything) }, "all answers"),
      reply.experiments.map((name) => h("option", { value: name, selected: name === now.experiment }, name)),
    );
    return h("label", null, "Experiment ", select);
  }

  // The share that A won, on a line on which the middle is a draw.
  function duel(found) {
    const estimate = { mean: found.win_rate, low: found.low, high: found.high },
      p = found.always_valid_p;
    return h(
      "div",
      { class: "duel" },
      h("div", null, h("span", null, "B better"), whisker(estimate, 0, 1, 0), h("span", null, "A better")),
      h(
        "span",
        { class: "small muted" },
        `win rate of A ${interval(estimate)}; p ${p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`} whenever you look`,
      ),
    );
  }

  function part(section, comparison) {
    const sentences = section.sentences.map((sentence) => h("p", null, sentence));
    if (section.title === "A against B" && comparison) sentences.unshift(duel(comparison));
    if (!section.header.length) return h("section", { class: "card words" }, h("h3", null, section.title), sentences);
    const rows = section.rows.map(([first, ...others]) =>
      h(
        "tr",
        null,
        h("th", { scope: "row" }, first),
        others.map((value) => h("td", { class: "number" }, value)),
      ),
    );
    const made = table(section.title, section.header, rows);
    made.firstChild.after(...sentences);
    return made;
  }

  function live(reply, now, again) {
    if (reply.outcome === "none") return [h("p", { class: "muted" }, reply.said)];
    return [
      h(
        "p",
        { class: "livehead" },
        chooser(reply, now),
        h("button", { type: "button", class: "quiet", onclick: again }, "Read again"),
        h("span", { class: "small muted" }, `as of ${reply.made_at.slice(0, 19).replace("T", " ")} UTC`),
      ),
      h("p", null, h("b", null, reply.title)),
      ...reply.sections.map((section) => part(section, reply.comparison)),
    ];
  }

  // Fills its place by itself: the report may take seconds, and what goes wrong with it is no reason to hide the rest.
  function votes(now) {
    const place = h("div", { class: "live", "aria-live": "polite" });
    const which = now.everything ? { everything: true } : now.experiment ? { experiment: now.experiment } : {};
    async function read() {
      place.setAttribute("aria-busy", "true");
      try {
        place.replaceChildren(...live(await Segue.ask("feedback", which, undefined, { anew: true }), now, read));
      } catch (error) {
        place.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
      }
      place.setAttribute("aria-busy", "false");
    }
    read();
    return [h("h2", null, "What members voted"), place];
  }

  Segue.views.evaluation = async function (view, context, now, isCurrent) {
    const reply = await Segue.ask("evaluation", {});
    if (!isCurrent()) return null;
    view.replaceChildren(
      h("h1", null, "Evaluation"),
      ...(Segue.isExport() ? [] : votes(now)),
      h("h2", null, "What the lists are like"),
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
