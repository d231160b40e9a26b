// What fingers, a mouse and its wheel do to the map: drag, pinch, turn, click. Keys are the map's own.
(function () {
  "use strict";
  const STILL = 5; // pixels that a click may wander
  const PER_LINE = 16,
    PER_PAGE = 400;

  // Calls moved(dx, dy), zoomed(by, x, y), clicked(x, y); pixels from the element's upper left corner.
  function gestures(element, { moved, zoomed, clicked }) {
    const down = new Map(); // where each pointer that is pressed was last
    let wandered = 0;

    function place(event) {
      const box = element.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    }

    // The middle of all pressed pointers, and how far the first two are apart.
    function grip() {
      const [first, second = first] = down.values();
      return {
        x: (first.x + second.x) / 2,
        y: (first.y + second.y) / 2,
        apart: Math.hypot(first.x - second.x, first.y - second.y),
      };
    }

    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      if (!down.size) wandered = 0;
      down.set(event.pointerId, place(event));
      element.setPointerCapture(event.pointerId);
    });

    element.addEventListener("pointermove", (event) => {
      if (!down.has(event.pointerId)) return;
      const before = grip();
      down.set(event.pointerId, place(event));
      const after = grip();
      wandered += Math.hypot(after.x - before.x, after.y - before.y) + Math.abs(after.apart - before.apart);
      if (wandered <= STILL) return;
      moved(after.x - before.x, after.y - before.y);
      if (before.apart > 0 && after.apart > 0) zoomed(Math.log2(after.apart / before.apart), after.x, after.y);
    });

    function up(event) {
      if (!down.delete(event.pointerId)) return;
      if (event.type === "pointerup" && !down.size && wandered <= STILL) {
        const { x, y } = place(event);
        clicked(x, y);
      }
    }
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);

    element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const unit = [1, PER_LINE, PER_PAGE][event.deltaMode],
          { x, y } = place(event);
        // A trackpad's pinch arrives as a wheel with Ctrl, in smaller steps.
        zoomed(Math.max(Math.min(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.002), 1), -1), x, y);
      },
      { passive: false },
    );
  }

  Segue.gestures = gestures;
})();
