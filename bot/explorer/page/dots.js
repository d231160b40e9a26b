// The map's many points by WebGL: one point each, all in one call, whatever their number.
(function () {
  "use strict";
  const { h } = Segue;

  const VERTEX = `#version 300 es
    uniform vec2 middle, scale;
    uniform float swelling, ratio;
    in vec2 position;
    in vec4 colour;
    in float size;
    out vec4 inside;
    void main() {
      gl_Position = vec4((position - middle) * scale, 0.0, 1.0);
      gl_PointSize = max(size * swelling, 1.6) * ratio;
      inside = colour;
    }`;
  const FRAGMENT = `#version 300 es
    precision mediump float;
    in vec4 inside;
    out vec4 shown;
    void main() {
      float from_middle = length(gl_PointCoord - 0.5);
      if (from_middle > 0.5) discard;
      float alpha = inside.a * (1.0 - smoothstep(0.38, 0.5, from_middle));
      shown = vec4(inside.rgb * alpha, alpha);
    }`;

  // How much larger dots are than at the first view's scale: they grow, but slower than the distances between them.
  const swelling = (zoom) => Math.min(Math.max((2 ** zoom / 3) ** 0.32, 0.75), 4);

  function program(gl) {
    const made = gl.createProgram();
    for (const [kind, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(made, shader);
    }
    gl.linkProgram(made);
    return gl.getProgramParameter(made, gl.LINK_STATUS) ? made : null;
  }

  function buffer(gl, made, name, content, length, kind, normalized) {
    const place = gl.getAttribLocation(made, name),
      kept = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, kept);
    gl.bufferData(gl.ARRAY_BUFFER, content, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, length, kind, normalized, 0, 0);
    return kept;
  }

  // A canvas that draws points, as pixelDots does; null where there is no WebGL 2.
  // Points: positions (Float32Array of pairs), sizes (Float32Array, diameters), colors (Uint8Array of fours).
  // lost() is called when the graphics card takes its memory back.
  function webglDots(points, lost) {
    const canvas = h("canvas", { class: "dots", "data-by": "webgl", "aria-hidden": "true" });
    const gl = canvas.getContext("webgl2", { antialias: false, depth: false }); // points are smooth by themselves
    const made = gl && program(gl);
    if (!made) return null;
    canvas.addEventListener("webglcontextlost", lost);
    gl.useProgram(made);
    buffer(gl, made, "position", points.positions, 2, gl.FLOAT, false);
    buffer(gl, made, "size", points.sizes, 1, gl.FLOAT, false);
    const colours = buffer(gl, made, "colour", points.colors, 4, gl.UNSIGNED_BYTE, true);
    const at = (name) => gl.getUniformLocation(made, name);
    const uniforms = { middle: at("middle"), scale: at("scale"), swelling: at("swelling"), ratio: at("ratio") };
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 0);
    return {
      canvas,
      recolour(colors) {
        gl.bindBuffer(gl.ARRAY_BUFFER, colours);
        gl.bufferData(gl.ARRAY_BUFFER, colors, gl.STATIC_DRAW);
      },
      draw(view, { width, height, ratio }) {
        const scale = 2 ** view.zoom;
        const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
        if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
        gl.viewport(0, 0, wide, high);
        gl.clear(gl.COLOR_BUFFER_BIT);
        gl.uniform2f(uniforms.middle, view.target[0], view.target[1]);
        gl.uniform2f(uniforms.scale, (2 * scale) / width, (2 * scale) / height);
        gl.uniform1f(uniforms.swelling, swelling(view.zoom));
        gl.uniform1f(uniforms.ratio, ratio);
        gl.drawArrays(gl.POINTS, 0, points.sizes.length);
      },
      stop() {
        canvas.removeEventListener("webglcontextlost", lost);
        const gone = gl.getExtension("WEBGL_lose_context");
        if (gone) gone.loseContext(); // a browser keeps few contexts, and forgets them late
      },
    };
  }

  Object.assign(Segue, { webglDots, swelling });
})();
