// Wires the page: the address decides the view; the theme is kept in the browser.
(function () {
  "use strict";
  const { h, state } = Segue;
  const view = document.getElementById("view"),
    main = document.getElementById("main");
  let context = null,
    box = null,
    turn = 0,
    shownView = null;

  async function render() {
    const now = state.read(),
      mine = ++turn;
    for (const link of document.querySelectorAll("nav [data-view]")) {
      if (link.dataset.view === now.view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (now.view !== "map") Segue.closeMap();
    view.dataset.view = now.view;
    view.setAttribute("aria-busy", "true");
    Segue.mark(null);
    try {
      const artist = await Segue.views[now.view](view, context, now, () => mine === turn);
      if (mine !== turn) return;
      if (artist) box.set(artist.name);
      const what = {
        compare: artist ? artist.name : "Compare",
        map: artist ? `${artist.name} on the map` : "Map",
        evaluation: "Evaluation",
      }[now.view];
      document.title = `${what} · Segue explorer`;
      if (shownView !== null && shownView !== now.view) main.focus({ preventScroll: true });
      shownView = now.view;
    } catch (error) {
      if (mine === turn) view.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
    } finally {
      if (mine === turn) view.setAttribute("aria-busy", "false");
    }
  }

  function chosen(artist) {
    const now = state.read();
    if (now.view === "map") state.go({ artist: artist.id, from: "", to: "", like: "", unlike: "", mode: "" });
    else state.go({ view: "compare", artist: artist.id });
  }

  function theme() {
    const button = document.getElementById("theme");
    let kept = null;
    try {
      kept = localStorage.getItem("segue-theme");
    } catch {
      /* storage may be forbidden; the system's theme then stays */
    }
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
    button.addEventListener("click", () => {
      const next = Segue.isDark() ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      try {
        localStorage.setItem("segue-theme", next);
      } catch {
        /* as above */
      }
      Segue.repaintMap();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Segue.repaintMap());
  }

  function examples(artists) {
    if (!artists.length) return "";
    return h(
      "div",
      { class: "choices", role: "group", "aria-label": "Examples" },
      h("span", { class: "muted small" }, "Try"),
      artists.map((artist) =>
        h(
          "button",
          {
            type: "button",
            class: "chip",
            onclick: () => {
              Segue.say("");
              chosen(artist);
            },
          },
          artist.name,
        ),
      ),
    );
  }

  async function start() {
    theme();
    document.querySelector("[data-skip]").addEventListener("click", (event) => {
      event.preventDefault();
      main.focus();
    });
    try {
      context = await Segue.ask("models", {});
    } catch (error) {
      view.replaceChildren(h("p", { class: "empty", role: "alert" }, error.message));
      return;
    }
    box = Segue.searchBox({ label: "Artist", placeholder: "Type an artist; a slip is forgiven", choose: chosen });
    document.getElementById("search").append(box.element, examples(context.examples));
    const synthetic = context.models.some((card) => card.synthetic);
    document
      .getElementById("foot")
      .append(
        h(
          "p",
          { class: "muted small" },
          synthetic ? "Demo data: synthetic listeners, real artist names. " : "",
          Segue.isExport()
            ? "A page written by segue explore --export."
            : ["Read-only API: ", h("a", { href: "api/openapi.json" }, "its description"), "."],
        ),
      );
    addEventListener("hashchange", render);
    let width = innerWidth,
      waiting = 0;
    addEventListener("resize", () => {
      if (innerWidth === width || state.read().view !== "compare") return;
      width = innerWidth;
      clearTimeout(waiting);
      waiting = setTimeout(render, 150);
    });
    await render();
  }

  start();
})();
