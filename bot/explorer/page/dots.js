// The map's many points as a layer of deck.gl: one WebGL point each. Its own scatterplot draws each point as a small
// mesh, which takes ten times as long where a browser has no graphics card (50,000: 1.8 s a frame against 0.2 s).
(function () {
  "use strict";

  const VERTEX = `#version 300 es
    in vec2 positions; in vec4 colors; in float sizes;
    out vec4 vColor;
    void main() {
      gl_Position = project_position_to_clipspace(vec3(positions, 0.0), vec3(0.0), vec3(0.0));
      float nearer = clamp(pow(project.scale / 3.0, 0.32), 0.75, 4.0);
      gl_PointSize = max(sizes * nearer, 1.6) * project.devicePixelRatio;
      vColor = colors;
    }`;
  const FRAGMENT = `#version 300 es
    precision mediump float;
    in vec4 vColor;
    out vec4 fragColor;
    void main() {
      float r = length(gl_PointCoord - 0.5);
      if (r > 0.5) discard;
      fragColor = vec4(vColor.rgb, vColor.a * (1.0 - smoothstep(0.38, 0.5, r)));
    }`;

  // Properties: positions (Float32Array of pairs), colors (Uint8Array of fours), sizes (Float32Array, diameters).
  function dotsLayer(properties) {
    if (!Segue.Dots) {
      const { deck, luma } = window;
      Segue.Dots = class Dots extends deck.Layer {
        initializeState() {
          const { device } = this.context,
            { positions, colors, sizes } = this.props;
          const buffers = {
            positions: device.createBuffer({ data: positions }),
            colors: device.createBuffer({ data: colors }),
            sizes: device.createBuffer({ data: sizes }),
          };
          const model = new luma.Model(device, {
            ...super.getShaders({ vs: VERTEX, fs: FRAGMENT, modules: [deck.project32] }),
            id: this.props.id,
            topology: "point-list",
            vertexCount: sizes.length,
            attributes: buffers,
            bufferLayout: [
              { name: "positions", format: "float32x2" },
              { name: "colors", format: "unorm8x4" },
              { name: "sizes", format: "float32" },
            ],
          });
          this.setState({ model, buffers });
        }

        updateState({ props, oldProps }) {
          if (oldProps.colors && props.colors !== oldProps.colors) {
            this.state.buffers.colors.write(props.colors);
            this.setNeedsRedraw();
          }
        }

        draw() {
          this.state.model.draw(this.context.renderPass);
        }
      };
      Segue.Dots.layerName = "Dots";
      // Arrays are compared by identity, not element by element.
      Segue.Dots.defaultProps = Object.fromEntries(
        ["positions", "colors", "sizes"].map((name) => [name, { type: "object", value: null, compare: 0 }]),
      );
    }
    return new Segue.Dots(properties);
  }

  let loading = null;

  // deck.gl is larger than all the rest, so it is loaded when the map is first opened.
  function drawingLibrary() {
    loading =
      loading ||
      new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = "lib/deck.js";
        script.onload = () => (window.deck ? resolve() : reject(new Error("The drawing library cannot be used.")));
        script.onerror = () => {
          loading = null;
          reject(
            new Error(
              "The drawing library is not installed; install it: pip install '.[explore]' in Segue's folder, and start again.",
            ),
          );
        };
        document.head.append(script);
      });
    return loading;
  }

  Object.assign(Segue, { dotsLayer, drawingLibrary });
})();
