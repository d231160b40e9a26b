// Whether a graphics card computes WebGL here. Where the processor has to, starting WebGL stops a page for a second,
// only to draw slower than pixels.js; so a worker asks, and this same file is what the worker runs.
(function () {
  "use strict";
  const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

  function byCard(canvas) {
    const gl = canvas.getContext("webgl2");
    if (!gl) return false;
    const named = gl.getExtension("WEBGL_debug_renderer_info");
    return !SOFTWARE.test(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  }

  if (typeof document === "undefined") {
    postMessage(byCard(new OffscreenCanvas(1, 1)));
    return;
  }

  // Browsers without workers on files, or without WebGL in them, have to ask here.
  function asked() {
    return new Promise((resolve) => {
      const here = () => resolve(byCard(document.createElement("canvas")));
      try {
        const worker = new Worker("graphics.js");
        worker.onmessage = ({ data }) => {
          worker.terminate();
          resolve(data);
        };
        worker.onerror = (event) => {
          event.preventDefault();
          worker.terminate();
          here();
        };
      } catch {
        here();
      }
    });
  }

  let answer = null;

  Segue.hasGraphicsCard = () => (answer = answer || asked());
})();
