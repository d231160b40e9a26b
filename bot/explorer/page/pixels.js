// The map's many points without WebGL: each pixel by hand, in the processor. A frame of 50,000 points takes it a few
// milliseconds, less than WebGL where that is computed by the processor too; and it need not be started.
(function () {
  "use strict";
  const { h } = Segue;

  // Mix a round dot into the pixels, its rim smooth. x, y: its middle; all in pixels of the picture.
  function dot(data, width, height, x, y, diameter, red, green, blue, opacity) {
    const outer = (diameter * diameter) / 4,
      inner = outer * 0.58,
      radius = diameter / 2;
    const left = Math.max(Math.floor(x - radius), 0),
      right = Math.min(Math.ceil(x + radius), width - 1);
    const top = Math.max(Math.floor(y - radius), 0),
      bottom = Math.min(Math.ceil(y + radius), height - 1);
    for (let row = top; row <= bottom; row++) {
      const dy = (row + 0.5 - y) ** 2;
      for (let column = left; column <= right; column++) {
        const distance = dy + (column + 0.5 - x) ** 2;
        if (distance >= outer) continue;
        const part = distance <= inner ? opacity : (opacity * (outer - distance)) / (outer - inner),
          at = 4 * (row * width + column);
        data[at] += (red - data[at]) * part;
        data[at + 1] += (green - data[at + 1]) * part;
        data[at + 2] += (blue - data[at + 2]) * part;
      }
    }
  }

  // A canvas that draws points (see webglDots) on a ground of one colour, [red, green, blue].
  function pixelDots(points, ground) {
    const canvas = h("canvas", { class: "dots", "data-by": "pixels", "aria-hidden": "true" });
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    let { colors } = points,
      picture = null,
      empty = null;

    function resize(width, height) {
      [canvas.width, canvas.height] = [width, height];
      picture = context.createImageData(width, height);
      empty = new Uint32Array(picture.data.buffer);
    }

    return {
      canvas,
      recolour(changed, changedGround) {
        [colors, ground] = [changed, changedGround];
      },
      draw(view, { width, height, ratio }) {
        const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
        if (!picture || canvas.width !== wide || canvas.height !== high) resize(wide, high);
        const { data } = picture,
          { positions, sizes } = points;
        const scale = 2 ** view.zoom * ratio,
          swelling = Segue.swelling(view.zoom),
          [middleX, middleY] = view.target;
        empty.fill(new Uint32Array(new Uint8Array([...ground, 255]).buffer)[0]);
        for (let i = 0; i < sizes.length; i++) {
          const x = wide / 2 + (positions[2 * i] - middleX) * scale,
            y = high / 2 - (positions[2 * i + 1] - middleY) * scale,
            diameter = Math.max(sizes[i] * swelling, 1.6) * ratio;
          if (x < -diameter || y < -diameter || x > wide + diameter || y > high + diameter) continue;
          const at = 4 * i;
          dot(data, wide, high, x, y, diameter, colors[at], colors[at + 1], colors[at + 2], colors[at + 3] / 255);
        }
        context.putImageData(picture, 0, 0);
      },
      stop() {},
    };
  }

  Segue.pixelDots = pixelDots;
})();
