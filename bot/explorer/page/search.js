// A box for an artist's name: suggestions while typing, and what a misspelt name could mean. WAI-ARIA's combobox.
(function () {
  "use strict";
  const { h, counted } = Segue;
  const WAIT_MS = 90;
  let made = 0;

  // Options: label, placeholder, choose(artist), said(text, choices).
  function searchBox(options) {
    const id = `artist-${++made}`;
    const list = h("ul", {
      id: `${id}-list`,
      class: "options",
      role: "listbox",
      "aria-label": "Artists",
      hidden: true,
    });
    const input = h("input", {
      id,
      type: "text",
      role: "combobox",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      maxlength: 200,
      placeholder: options.placeholder,
      "aria-expanded": "false",
      "aria-controls": list.id,
      "aria-autocomplete": "list",
    });
    const choices = h("div", { class: "choices" });
    let artists = [],
      active = -1,
      timer = 0,
      asking = null,
      fresh = false;

    function close() {
      clearTimeout(timer);
      if (asking) asking.abort();
      list.hidden = true;
      artists = [];
      mark(-1);
      input.setAttribute("aria-expanded", "false");
    }

    function mark(index) {
      active = index;
      Array.from(list.children).forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
      if (index < 0) input.removeAttribute("aria-activedescendant");
      else {
        input.setAttribute("aria-activedescendant", `${id}-${index}`);
        list.children[index].scrollIntoView({ block: "nearest" });
      }
    }

    function show(found) {
      artists = found;
      list.replaceChildren(
        ...found.map((artist, index) =>
          h(
            "li",
            {
              id: `${id}-${index}`,
              role: "option",
              "aria-selected": "false",
              onpointerdown: (event) => {
                event.preventDefault();
                choose(artist);
              },
            },
            h("span", { class: "name" }, artist.name),
            h("span", { class: "muted" }, counted(artist.listeners, "listener")),
          ),
        ),
      );
      list.hidden = found.length === 0;
      input.setAttribute("aria-expanded", String(found.length > 0));
      active = -1;
      input.removeAttribute("aria-activedescendant");
    }

    async function suggest() {
      if (asking) asking.abort();
      asking = new AbortController();
      const typed = input.value;
      if (!typed.trim()) return close();
      try {
        const reply = await Segue.ask("complete", { q: typed, limit: 8 }, asking.signal);
        if (input.value === typed && document.activeElement === input) show(reply.artists);
      } catch (error) {
        if (error.name !== "AbortError") Segue.say(error.message);
      }
    }

    function choose(artist) {
      close();
      input.value = artist.name;
      choices.replaceChildren();
      options.choose(artist);
    }

    async function resolve() {
      const typed = input.value;
      close();
      choices.replaceChildren();
      try {
        const reply = await Segue.ask("resolve", { q: typed });
        Segue.say(reply.said && reply.artist ? `${reply.artist.name} - ${reply.said}` : reply.said);
        if (reply.artist) {
          input.value = reply.artist.name;
          options.choose(reply.artist);
        } else {
          choices.replaceChildren(
            ...reply.choices.map((artist) =>
              h(
                "button",
                {
                  type: "button",
                  class: "chip",
                  onclick: () => {
                    Segue.say("");
                    choose(artist);
                  },
                },
                artist.name,
              ),
            ),
          );
        }
      } catch (error) {
        Segue.say(error.message);
      }
    }

    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(suggest, WAIT_MS);
    });
    // It holds the artist that is shown; typing replaces it. A click puts the caret after the focus, hence twice.
    input.addEventListener("focus", () => {
      fresh = true;
      input.select();
    });
    input.addEventListener("click", () => {
      if (fresh && input.selectionStart === input.selectionEnd) input.select();
      fresh = false;
    });
    input.addEventListener("blur", () => setTimeout(close, 0));
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        if (!artists.length) return;
        event.preventDefault();
        const step = event.key === "ArrowDown" ? 1 : -1;
        mark(active < 0 && step < 0 ? artists.length - 1 : (active + step + artists.length) % artists.length);
      } else if (event.key === "Enter") {
        event.preventDefault();
        if (active >= 0) choose(artists[active]);
        else if (input.value.trim()) resolve();
      } else if (event.key === "Escape") {
        if (list.hidden) input.value = "";
        close();
      }
    });

    const element = h(
      "div",
      { class: "search" },
      h("label", { for: id }, options.label),
      h("div", { class: "box" }, input, list),
      choices,
    );
    return {
      element,
      input,
      set(name) {
        if (document.activeElement !== input) input.value = name;
      },
    };
  }

  Segue.searchBox = searchBox;
})();
