// What is shown is in the address, after the #, so that every state has a link and Back works.
(function () {
  "use strict";
  const VIEWS = ["compare", "map", "evaluation"];

  function read() {
    const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
    const given = Object.fromEntries(new URLSearchParams(query || ""));
    return { ...given, view: VIEWS.includes(path) ? path : "compare" };
  }

  function link(state) {
    const { view, ...rest } = state;
    const query = new URLSearchParams(Object.entries(rest).filter(([, value]) => value)).toString();
    return `#/${view}${query ? "?" + query.replaceAll("%2C", ",") : ""}`;
  }

  Segue.state = {
    read,
    link,
    with: (changes) => link({ ...read(), ...changes }),
    go(changes) {
      location.hash = link({ ...read(), ...changes });
    },
    list: (text) => (text || "").split(",").filter(Boolean),
  };
})();
