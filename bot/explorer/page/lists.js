// The similar artists of one model as a list: rank, change against the first list, score, support, links.
(function () {
  "use strict";
  const { h, count, counted, state, colour } = Segue;

  function change(row, rankElsewhere, isReference) {
    if (isReference || !rankElsewhere) return null;
    const before = rankElsewhere.get(row.artist.id);
    if (before === undefined) return h("span", { class: "change only", title: "not in the first list" }, "new");
    const by = before - row.rank;
    if (by === 0) return h("span", { class: "change", title: "the same rank as in the first list" }, "=");
    const words = `${Math.abs(by)} ${by > 0 ? "higher" : "lower"} than in the first list`;
    return h(
      "span",
      { class: `change ${by > 0 ? "rise" : "fall"}`, title: words },
      h("span", { "aria-hidden": "true" }, `${by > 0 ? "▲" : "▼"}${Math.abs(by)}`),
      h("span", { class: "unseen" }, words),
    );
  }

  function links(artist) {
    const encoded = encodeURIComponent(artist.name);
    const brainz = artist.mbid
      ? `https://musicbrainz.org/artist/${artist.mbid}`
      : `https://musicbrainz.org/search?type=artist&query=${encoded}`;
    const outside = { target: "_blank", rel: "noopener noreferrer" };
    return h(
      "span",
      { class: "links" },
      h(
        "a",
        { ...outside, href: `https://www.last.fm/music/${encoded}`, "aria-label": `${artist.name} on Last.fm` },
        "Last.fm",
      ),
      h("a", { ...outside, href: brainz, "aria-label": `${artist.name} on MusicBrainz` }, "MusicBrainz"),
    );
  }

  // Marks an artist wherever it stands in the view.
  function mark(id) {
    for (const element of document.querySelectorAll("[data-artist]")) {
      element.classList.toggle("marked", id !== null && element.dataset.artist === id);
    }
    document.getElementById("view").classList.toggle("marking", id !== null);
  }

  const marking = (id) => ({
    onpointerenter: () => mark(id),
    onpointerleave: () => mark(null),
    onfocusin: () => mark(id),
    onfocusout: () => mark(null),
  });

  function support(row) {
    if (row.support === 0) return `no listener in common; ${counted(row.artist.listeners, "listener")} of its own`;
    return `shares ${count(row.support)} of its ${counted(row.artist.listeners, "listener")}`;
  }

  // Options: index (of the model among the shown), reference (its reply), best (the greatest score of this list).
  function listOf(card, reply, options) {
    const ranks = options.reference && new Map(options.reference.rows.map((row) => [row.artist.id, row.rank]));
    const best = Math.max(...reply.rows.map((row) => row.score), 1e-9);
    const rows = reply.rows.map((row) =>
      h(
        "li",
        { "data-artist": row.artist.id, ...marking(row.artist.id) },
        h("span", { class: "rank" }, row.rank),
        h(
          "span",
          { class: "body" },
          h(
            "span",
            { class: "line" },
            h("a", { class: "name", href: state.with({ view: "compare", artist: row.artist.id }) }, row.artist.name),
            change(row, ranks, options.index === 0),
          ),
          h(
            "span",
            { class: "meter", "aria-hidden": "true" },
            h("span", {
              style: { width: `${Math.max(2, (100 * row.score) / best)}%`, background: colour(options.colour) },
            }),
          ),
          h(
            "span",
            { class: "evidence" },
            h(
              "span",
              { class: "muted small" },
              h("span", { class: "score" }, `score ${row.score.toFixed(3)}`),
              ` · ${support(row)}`,
            ),
            links(row.artist),
          ),
        ),
      ),
    );
    return h(
      "section",
      { class: "card list", "aria-label": `Similar artists by ${card.id}` },
      h("h3", null, h("span", { class: "dot", style: { background: colour(options.colour) } }), card.id),
      h("p", { class: "muted small" }, describe(card)),
      rows.length ? h("ol", null, rows) : h("p", { class: "empty" }, reply.said),
      reply.guesses && reply.guesses.length ? guesses(reply) : null,
    );
  }

  // Too little to be an answer, and marked so: without ranks, scores and bars.
  function guesses(reply) {
    return h(
      "div",
      { class: "guesses" },
      h("p", { class: "small" }, h("b", null, "A guess"), ", from what these few listen to:"),
      h(
        "ul",
        null,
        reply.guesses.map((artist) =>
          h(
            "li",
            { "data-artist": artist.id },
            h("a", { href: state.with({ view: "compare", artist: artist.id }) }, artist.name),
            h("span", { class: "muted small" }, ` ${counted(artist.listeners, "listener")}`),
          ),
        ),
      ),
    );
  }

  const METHODS = {
    factors: "cosine of the factors",
    fusion: "fusion of LSA, PMI and ALS",
    knn: "common listeners",
    pmi: "second-order PMI",
    ease: "EASE",
    auto: "chosen by the data's size",
  };

  function describe(card) {
    return `${card.algorithm.toUpperCase()}, ${card.n_factors} factors · compares by ${METHODS[card.similarity] || card.similarity}`;
  }

  Object.assign(Segue, { listOf, mark, marking, describe });
})();
