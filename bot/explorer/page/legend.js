// The clusters of the map: their colours, and a list of them that picks one out.
(function () {
  "use strict";
  const { h } = Segue;
  const LIGHT = [
    "#5b3fd6",
    "#0f7a8c",
    "#c2410c",
    "#a21caf",
    "#3f7d20",
    "#b45309",
    "#1d4ed8",
    "#be123c",
    "#0f766e",
    "#6d4c41",
    "#7c3aed",
    "#64748b",
  ];
  const DARK = [
    "#a995ff",
    "#4fc3d9",
    "#ff9f68",
    "#f08bf5",
    "#94d66a",
    "#f2c14e",
    "#7fb0ff",
    "#ff8fa3",
    "#5ad1bd",
    "#c9a58f",
    "#c9a2ff",
    "#a8b5c7",
  ];

  const isDark = () => getComputedStyle(document.documentElement).colorScheme.trim() === "dark";
  const palette = () => (isDark() ? DARK : LIGHT);
  const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

  function legend(map) {
    const buttons = map.reply.cluster_names.map((name, cluster) =>
      h(
        "button",
        {
          type: "button",
          class: "cluster",
          "aria-pressed": "false",
          onclick: (event) => {
            const chosen = map.cluster === cluster ? null : cluster;
            map.pickOut(chosen);
            for (const button of event.currentTarget.parentNode.children) button.setAttribute("aria-pressed", "false");
            event.currentTarget.setAttribute("aria-pressed", String(chosen !== null));
          },
        },
        h("span", { class: `dot cluster-${cluster + 1}` }),
        name,
      ),
    );
    return h(
      "details",
      { class: "card legend", open: window.innerWidth > 900 },
      h("summary", null, "Clusters, by their best-known artists"),
      h("div", { class: "clusters" }, buttons),
    );
  }

  Object.assign(Segue, { isDark, palette, rgb, mapLegend: legend });
})();
