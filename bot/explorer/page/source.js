// Where answers come from: the API beside this page, or what an export wrote into data.js.
(function () {
  "use strict";
  const PATHS = {
    models: "api/models",
    resolve: "api/resolve",
    complete: "api/complete",
    similar: "api/similar",
    path: "api/path",
    blend: "api/blend",
    overlap: "api/overlap",
    map: "api/map",
    evaluation: "api/evaluation",
    feedback: "api/feedback",
  };
  const kept = new Map();
  const MOST_KEPT = 300;

  function address(name, parameters) {
    const sorted = Object.entries(parameters || {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const query = new URLSearchParams(sorted.map(([key, value]) => [key, String(value)])).toString();
    return PATHS[name] + (query ? "?" + query : "");
  }

  async function fetched(where, signal) {
    let response;
    try {
      response = await fetch(where, { signal, headers: { Accept: "application/json" } });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The explorer does not answer; is `segue explore` still running?");
    }
    const content = await response.json();
    if (!response.ok) throw new Error(content.error || `The explorer answered ${response.status}.`);
    return content;
  }

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();

  // An export knows its own artists only; a slip is not read in it.
  function exportedArtists(text, limit) {
    const wanted = plain(text);
    const fits = (artist) => plain(artist.name).includes(wanted);
    return window.SEGUE_DATA.artists.filter(fits).slice(0, limit);
  }

  const exported = {
    complete: (parameters) => ({ artists: exportedArtists(parameters.q, 10) }),
    resolve(parameters) {
      const found = exportedArtists(parameters.q, 10);
      const exact =
        found.find((artist) => plain(artist.name) === plain(parameters.q)) || (found.length === 1 && found[0]);
      if (exact) return { outcome: "found", said: "", artist: exact, choices: [] };
      const said = found.length
        ? "Which one?"
        : `This page was written for ${window.SEGUE_DATA.artists.length} artists; this is none of them.`;
      return { outcome: "not_found", said, artist: null, choices: found.length ? found : window.SEGUE_DATA.artists };
    },
  };

  // An answer is asked for once and kept, unless it is wanted anew.
  async function ask(name, parameters, signal, { anew = false } = {}) {
    const where = address(name, parameters);
    if (window.SEGUE_DATA) {
      if (exported[name]) return exported[name](parameters);
      const reply = window.SEGUE_DATA.replies["/" + where];
      if (!reply) throw new Error("This exported page does not hold that answer; `segue explore` has them all.");
      return reply;
    }
    if (kept.has(where) && !anew) return kept.get(where);
    const reply = await fetched(where, signal);
    if (anew) return reply;
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value);
    kept.set(where, reply);
    return reply;
  }

  Segue.ask = ask;
  Segue.isExport = () => Boolean(window.SEGUE_DATA);
})();
