// The map's view: the map itself, an artist on it, a path from one to another, or a blend of several.
(function () {
  "use strict";
  const { h, count, counted, state } = Segue;
  const STOPS = 5,
    ROWS = 12;
  let open = null; // the map that is on the page, kept while only what is drawn on it changes

  function close() {
    if (open) open.stop();
    open = null;
  }

  const named = (map, id) => (map.row.has(id) ? map.reply.names[map.row.get(id)] : null);

  function artistLink(artist) {
    return h("a", { href: state.link({ view: "compare", artist: artist.id }) }, artist.name);
  }

  function marksOf(map, artists, text) {
    return artists.flatMap((artist, place) =>
      map.row.has(artist.id)
        ? [{ row: map.row.get(artist.id), strong: true, text: text ? text(artist, place) : artist.name }]
        : [],
    );
  }

  function offMap(map, artists) {
    const off = artists.filter((artist) => !map.row.has(artist.id));
    return off.length
      ? h(
          "p",
          { class: "muted small" },
          `Not among the ${count(map.reply.ids.length)} artists of the map: ${off.map((one) => one.name).join(", ")}.`,
        )
      : null;
  }

  async function path(map, now) {
    const reply = await Segue.ask("path", { start: now.from, goal: now.to, stops: STOPS, model: map.reply.model });
    const artists = reply.stops.map((stop) => stop.artist);
    const rows = artists.filter((artist) => map.row.has(artist.id)).map((artist) => map.row.get(artist.id));
    return {
      overlay: {
        lines: rows.length > 1 && reply.outcome === "path" ? [{ rows }] : [],
        marks: marksOf(map, artists, (artist, place) => `${place + 1}  ${artist.name}`),
      },
      rows,
      words: [
        reply.outcome !== "path" && h("p", { class: "notice" }, reply.said),
        h(
          "ol",
          { class: "stops" },
          reply.stops.map((stop) =>
            h(
              "li",
              null,
              artistLink(stop.artist),
              h(
                "span",
                { class: "muted small" },
                stop.score === null
                  ? ` ${counted(stop.artist.listeners, "listener")}`
                  : ` ${stop.score.toFixed(2)} near the one before, ${stop.support === null ? "fewer than 5 listeners" : counted(stop.support, "listener")} in common`,
              ),
            ),
          ),
        ),
        reply.outcome === "path" && reply.said && h("p", { class: "muted small" }, reply.said),
        offMap(map, artists),
      ],
    };
  }

  async function blend(map, now) {
    const like = state.list(now.like),
      unlike = state.list(now.unlike);
    const reply = await Segue.ask("blend", {
      like: like.join(","),
      ...(unlike.length ? { unlike: unlike.join(",") } : {}),
      k: ROWS,
      model: map.reply.model,
    });
    const found = reply.rows.map((row) => row.artist);
    const lines = reply.rows.flatMap((row) =>
      map.row.has(row.artist.id) && map.row.has(row.nearest_liked)
        ? [{ rows: [map.row.get(row.nearest_liked), map.row.get(row.artist.id)], faint: true }]
        : [],
    );
    const marks = [
      ...marksOf(map, reply.liked),
      ...marksOf(map, found, (artist, place) => `${place + 1}  ${artist.name}`).map((mark) => ({
        ...mark,
        strong: false,
      })),
    ];
    return {
      overlay: { lines, marks },
      rows: marks.map((mark) => mark.row),
      words: [
        h(
          "ol",
          { class: "stops" },
          reply.rows.map((row) =>
            h(
              "li",
              null,
              artistLink(row.artist),
              h(
                "span",
                { class: "muted small" },
                ` ${row.score.toFixed(2)}, ${counted(row.artist.listeners, "listener")}`,
              ),
            ),
          ),
        ),
        reply.said && h("p", { class: "muted small" }, reply.said),
        offMap(map, found),
      ],
    };
  }

  function one(map, id) {
    const row = map.row.get(id);
    if (row === undefined) {
      return {
        overlay: { lines: [], marks: [] },
        rows: [],
        words: [
          h(
            "p",
            { class: "empty" },
            `This artist is not among the ${count(map.reply.ids.length)} most-heard ones that the map shows.`,
          ),
        ],
      };
    }
    const artist = { id, name: map.reply.names[row] };
    return {
      overlay: { lines: [], marks: [{ row, strong: true }] },
      rows: [row, ...map.around(row, 12)],
      words: [
        h(
          "p",
          null,
          h("b", null, artist.name),
          h("span", { class: "muted" }, ` ${counted(map.reply.listeners[row], "listener")}`),
        ),
        h(
          "p",
          { class: "actions" },
          h("a", { class: "button", href: state.link({ view: "compare", artist: id }) }, "Compare methods"),
          h(
            "a",
            { class: "button quiet", href: state.with({ from: id, to: "", artist: "", like: "" }) },
            "Path from here",
          ),
          h("a", { class: "button quiet", href: state.with({ like: id, artist: "", from: "", to: "" }) }, "Blend"),
        ),
        h("h3", null, "Nearest on the map"),
        h(
          "ul",
          { class: "near" },
          map
            .around(row, 8)
            .map((other) =>
              h(
                "li",
                null,
                h(
                  "a",
                  { href: state.with({ artist: map.reply.ids[other], from: "", to: "", like: "" }) },
                  map.reply.names[other],
                ),
              ),
            ),
        ),
      ],
    };
  }

  function mode(now) {
    if (now.from || now.to || now.mode === "path") return "path";
    if (now.like || now.mode === "blend") return "blend";
    return "artist";
  }

  function tabs(current, now) {
    const seed = now.artist || now.from || state.list(now.like)[0] || "";
    const clean = { artist: "", from: "", to: "", like: "", unlike: "", mode: "" };
    const go = {
      artist: { ...clean, artist: seed },
      path: { ...clean, from: seed, mode: "path" },
      blend: { ...clean, like: seed, mode: "blend" },
    };
    return h(
      "div",
      { class: "modes", role: "group", "aria-label": "What to draw on the map" },
      [
        ["artist", "Artist"],
        ["path", "Path"],
        ["blend", "Blend"],
      ].map(([name, label]) =>
        h("a", { href: state.with(go[name]), "aria-current": name === current ? "true" : null }, label),
      ),
    );
  }

  function pickers(map, now, current) {
    const names = (id) => named(map, id) || "";
    if (current === "path") {
      const box = (key, label) => {
        const made = Segue.searchBox({
          label,
          placeholder: "an artist",
          choose: (artist) => state.go({ [key]: artist.id, artist: "", like: "" }),
        });
        made.set(names(now[key]));
        return made.element;
      };
      return [box("from", "From"), box("to", "To")];
    }
    if (current === "blend") {
      const lists = { like: state.list(now.like), unlike: state.list(now.unlike) };
      const add = (key, label) =>
        Segue.searchBox({
          label,
          placeholder: "an artist",
          choose: (artist) =>
            state.go({
              [key]: [...new Set([...lists[key], artist.id])].slice(0, 8).join(","),
              artist: "",
              from: "",
              to: "",
            }),
        }).element;
      const chips = (key) =>
        h(
          "div",
          { class: "choices" },
          lists[key].map((id) =>
            h(
              "button",
              {
                type: "button",
                class: `chip ${key}`,
                "aria-label": `Take away ${names(id) || id}`,
                onclick: () => state.go({ [key]: lists[key].filter((other) => other !== id).join(","), mode: "blend" }),
              },
              `${names(id) || "an artist off the map"} ×`,
            ),
          ),
        );
      return [
        add("like", "More like"),
        chips("like"),
        ...(Segue.isExport() ? [] : [add("unlike", "Less like"), chips("unlike")]),
      ];
    }
    return [];
  }

  function drawn(map, now, current) {
    if (current === "path") {
      if (now.from && now.to && now.from !== now.to) return path(map, now);
      const words =
        now.from && now.from === now.to
          ? "A path needs two different artists."
          : "Choose two artists; the path leads from one to the other in short steps, each nearer to the goal.";
      return {
        overlay: {
          lines: [],
          marks: marksOf(
            map,
            [now.from, now.to].filter((id) => map.row.has(id)).map((id) => ({ id, name: named(map, id) })),
          ),
        },
        rows: [],
        words: [h("p", { class: "muted" }, words)],
      };
    }
    if (current === "blend") {
      if (state.list(now.like).length) return blend(map, now);
      return {
        overlay: { lines: [], marks: [] },
        rows: [],
        words: [
          h("p", { class: "muted" }, "Choose artists to blend; what is nearest to all of them together is drawn."),
        ],
      };
    }
    if (now.artist) return one(map, now.artist);
    return {
      overlay: { lines: [], marks: [] },
      rows: [],
      words: [
        h(
          "p",
          { class: "muted" },
          `The ${count(map.reply.ids.length)} most-heard artists; who is heard by the same people stands close together. Only nearness means something, directions do not. Click one, or search.`,
        ),
      ],
    };
  }

  async function journey(view, context, now, isCurrent) {
    const able = context.models.filter((card) => card.has_map);
    if (!able.length) {
      close();
      view.replaceChildren(
        h("h1", null, "Map"),
        h(
          "p",
          { class: "empty" },
          "No map was drawn yet. Run `segue map`, and start the explorer again; it needs pip install '.[explore]' in Segue's folder.",
        ),
      );
      return null;
    }
    const model = able.some((card) => card.id === now.model) ? now.model : able[0].id;
    if (!open || open.reply.model !== model || !open.holder.isConnected) {
      close();
      view.replaceChildren(h("p", { class: "empty" }, "Drawing the map …"));
      const reply = await Segue.ask("map", { model });
      if (!isCurrent()) return null;
      open = new Segue.CatalogueMap(reply, {
        dots: now.dots,
        choose: (id) => state.go({ view: "map", artist: id, from: "", to: "", like: "", unlike: "", mode: "" }),
      });
      const panel = h("aside", { class: "card panel", "aria-label": "On the map" });
      open.panel = panel;
      view.replaceChildren(
        h(
          "div",
          { class: "maphead" },
          h("h1", null, "Map of the catalogue"),
          able.length > 1 &&
            h(
              "label",
              { class: "pick" },
              "Model ",
              h(
                "select",
                { onchange: (event) => state.go({ model: event.target.value }) },
                able.map((one) => h("option", { value: one.id, selected: one.id === model }, one.id)),
              ),
            ),
        ),
        h(
          "div",
          { class: "mapgrid" },
          h(
            "div",
            { class: "mapbox" },
            open.holder,
            h(
              "div",
              { class: "zoom" },
              h("button", { type: "button", "aria-label": "Zoom in", onclick: () => open.zoom(0.7) }, "+"),
              h("button", { type: "button", "aria-label": "Zoom out", onclick: () => open.zoom(-0.7) }, "−"),
              h("button", { type: "button", "aria-label": "Show all", onclick: () => open.showAll() }, "⤢"),
            ),
          ),
          h("div", { class: "side" }, panel, Segue.mapLegend(open)),
        ),
      );
      open.start();
    }
    const map = open,
      current = mode(now);
    const shown = await drawn(map, now, current);
    if (!isCurrent() || map !== open) return null;
    map.panel.replaceChildren(tabs(current, now), ...pickers(map, now, current), ...shown.words.filter(Boolean));
    map.draw(shown.overlay);
    if (shown.rows.length) map.frame(shown.rows);
    return now.artist && map.row.has(now.artist) ? { id: now.artist, name: named(map, now.artist) } : null;
  }

  Segue.views.map = journey;
  Segue.closeMap = close;
  Segue.repaintMap = () => open && open.paint(true);
})();
