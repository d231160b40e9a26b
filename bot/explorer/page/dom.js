// Elements from plain values. Text goes in as text nodes only: a name can never become markup.
(function () {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (name === "style") styled(element, value);
      else element.setAttribute(name, value === true ? "" : String(value));
    }
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === false) continue;
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return element;
  }

  // By script, one property after another: a style attribute would be inline style, which the page forbids itself.
  function styled(element, properties) {
    for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
  }

  const count = (n) => n.toLocaleString("en");

  window.Segue = {
    h: (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children),
    svg: (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children),
    count,
    counted: (n, one, many) => `${count(n)} ${n === 1 ? one : many || one + "s"}`,
    say(text) {
      document.getElementById("said").textContent = text;
    },
    colour: (index) => `var(--model-${(index % 6) + 1})`,
    clip(text, length) {
      const letters = Array.from(text);
      return letters.length <= length
        ? text
        : letters
            .slice(0, length - 1)
            .join("")
            .trimEnd() + "…";
    },
  };
})();
