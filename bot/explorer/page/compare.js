// The first view: one artist, its similar artists by several models side by side, their slope graph and overlaps.
(function () {
  "use strict";
  const { h, counted, state, colour } = Segue;
  const ROWS = 20;

  function shown(models, wanted) {
    const chosen = state
      .list(wanted)
      .map((id) => models.find((card) => card.id === id))
      .filter(Boolean);
    return chosen.length ? chosen : models.slice(0, 2);
  }

  function switches(models, chosen) {
    const ids = chosen.map((card) => card.id);
    return h(
      "fieldset",
      { class: "switches" },
      h("legend", null, "Methods"),
      models.map((card, index) => {
        const on = ids.includes(card.id);
        const toggled = on ? ids.filter((id) => id !== card.id) : [...ids, card.id];
        return h(
          "label",
          { class: "chip", title: Segue.describe(card), style: { "--dot": colour(index) } },
          h("input", {
            type: "checkbox",
            checked: on,
            value: card.id,
            disabled: on && ids.length === 1,
            onchange: () => state.go({ view: "compare", models: toggled.join(",") }),
          }),
          h("span", { class: "dot" }),
          card.id,
        );
      }),
      chosen.length > 1 &&
        h(
          "button",
          {
            type: "button",
            class: "quiet",
            onclick: () => state.go({ view: "compare", models: [...ids].reverse().join(",") }),
          },
          "Swap the order",
        ),
    );
  }

  function headline(artist, models, card) {
    const onMap = models.find((one) => one.has_map);
    return h(
      "div",
      { class: "headline" },
      h("h1", null, artist.name),
      h(
        "p",
        { class: "muted" },
        `${counted(artist.listeners, "listener")} in ${card.data}`,
        card.synthetic ? " - synthetic listeners, real artist names" : "",
        onMap && [
          " · ",
          h("a", { href: state.link({ view: "map", model: onMap.id, artist: artist.id }) }, "Show on the map"),
        ],
      ),
    );
  }

  async function compare(view, context, now, isCurrent) {
    const { models, examples } = context;
    const id = now.artist || (examples[0] && examples[0].id);
    if (!id) {
      view.replaceChildren(h("p", { class: "empty" }, "Type an artist's name above to begin."));
      return null;
    }
    const chosen = shown(models, now.models);
    const ask = (name, more) =>
      Promise.all(chosen.map((card) => Segue.ask(name, { artist: id, model: card.id, ...more })));
    const [replies, overlaps] = await Promise.all([ask("similar", { k: ROWS }), ask("overlap", {})]);
    if (!isCurrent()) return null;
    const artist = (replies.find((reply) => reply.artist) || {}).artist;
    const place = (card) => models.indexOf(card);
    if (!artist) {
      view.replaceChildren(switches(models, chosen), h("p", { class: "empty" }, replies[0].said));
      return null;
    }
    const columns = replies
      .map((reply, index) => ({ reply, colour: place(chosen[index]) }))
      .filter(({ reply }) => reply.rows.length);
    const room = Math.max(300, view.clientWidth - 40); // less the padding of its card
    view.replaceChildren(
      headline(artist, models, chosen[replies.findIndex((reply) => reply.artist)]),
      switches(models, chosen),
      columns.length > 1
        ? h("section", null, h("h2", null, "How the ranks change"), Segue.slopeGraph(columns, room))
        : "",
      h(
        "section",
        null,
        h("h2", null, "Side by side"),
        h(
          "div",
          { class: "lists" },
          replies.map((reply, index) =>
            Segue.listOf(chosen[index], reply, { index, colour: place(chosen[index]), reference: replies[0] }),
          ),
        ),
      ),
      h(
        "section",
        null,
        h("h2", null, "Shared listeners"),
        h(
          "p",
          { class: "muted" },
          "The artist and its nearest two by each method: a circle's area is its listeners, and each two overlap by those in common.",
        ),
        h(
          "div",
          { class: "overlaps" },
          overlaps.map((reply, index) => Segue.overlap(reply, place(chosen[index]))),
        ),
      ),
    );
    return artist;
  }

  Segue.views = { compare };
})();
