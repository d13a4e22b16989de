"use strict";
/* Slices on a plain canvas, for browsers without WebGL2: NiiVue's view without the rendering.
   Sagittal slices are seen from the patient's right, coronal ones from behind, axial ones from above,
   so that the patient's left is on the left (neurological convention). The radiological convention
   mirrors the axis from left to right, and no other. */

const PLANES = { sagittal: [1, 2, 0], coronal: [0, 2, 1], axial: [0, 1, 2] }; // across, up, through
const LETTERS = [["L", "R"], ["P", "A"], ["I", "S"]];

class CanvasRenderer {
  constructor(canvas, onPick) {
    this.canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pick(event, onPick);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && this.pick(event, onPick));
    new ResizeObserver(() => this.view && this.draw(this.view)).observe(canvas);
  }

  async start() {}

  redraw() {}

  draw(view) {
    this.view = view;
    const canvas = this.canvas;
    canvas.width = canvas.clientWidth * devicePixelRatio;
    canvas.height = canvas.clientHeight * devicePixelRatio;
    this.context = canvas.getContext("2d");
    this.context.fillStyle = view.reversed ? "#fff" : "#000";
    this.context.fillRect(0, 0, canvas.width, canvas.height);
    this.tiles = this.layout(view);
    for (const tile of this.tiles) this.drawTile(tile);
  }

  /** Position of each plane on the canvas: one plane, or coronal and sagittal above axial. */
  layout({ layout }) {
    const lengths = facts.scan.shape.map((n, axis) => n * facts.scan.size[axis]);
    const [wide, deep, high] = lengths;
    const { width, height } = this.canvas;
    const single = PLANES[layout];
    const needed = single
      ? [lengths[single[0]], lengths[single[1]]]
      : [wide + deep, high + deep];
    const gap = single ? 0 : 24 * devicePixelRatio; // between letters of neighbours
    const scale = Math.min((width - gap) / needed[0], (height - gap) / needed[1]);
    const left = (width - gap - needed[0] * scale) / 2;
    const top = (height - gap - needed[1] * scale) / 2;
    const tile = (plane, right, down) => ({
      plane,
      left: left + right * scale + (right > 0 ? gap : 0),
      top: top + down * scale + (down > 0 ? gap : 0),
      width: lengths[PLANES[plane][0]] * scale,
      height: lengths[PLANES[plane][1]] * scale,
    });
    if (single) return [tile(layout, 0, 0)];
    return [tile("coronal", 0, 0), tile("sagittal", wide, 0), tile("axial", 0, high)];
  }

  drawTile(tile) {
    const { view, context } = this;
    const [across, up] = PLANES[tile.plane];
    const picture = this.slice(tile.plane);
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, tile.left, tile.top, tile.width, tile.height);
    const x = tile.left + ((this.column(across, view.voxel[across]) + 0.5) / picture.width) * tile.width;
    const y = tile.top + (1 - (view.voxel[up] + 0.5) / picture.height) * tile.height;
    context.fillStyle = "rgba(220, 40, 40, 0.6)";
    context.fillRect(x, tile.top, devicePixelRatio, tile.height);
    context.fillRect(tile.left, y, tile.width, devicePixelRatio);
    if (facts.scan.oriented) this.letter(tile, across, up);
  }

  letter(tile, across, up) {
    const { context, view } = this;
    const [first, last] = this.mirrored(across) ? [...LETTERS[across]].reverse() : LETTERS[across];
    context.fillStyle = view.reversed ? "#333" : "#ccc";
    context.font = `${14 * devicePixelRatio}px system-ui, sans-serif`;
    context.textAlign = "left";
    context.textBaseline = "middle";
    const [middle, gap] = [tile.top + tile.height / 2, 4 * devicePixelRatio];
    context.fillText(first, tile.left + gap, middle);
    context.textAlign = "right";
    context.fillText(last, tile.left + tile.width - gap, middle);
    context.textAlign = "center";
    context.textBaseline = "top";
    context.fillText(LETTERS[up][1], tile.left + tile.width / 2, tile.top + gap);
  }

  /** The slice through the crosshair as a canvas with one pixel per voxel. */
  slice(plane) {
    const { grey, overlay, opacity, reversed, voxel } = this.view;
    const { shape, contrast } = facts.scan;
    const [across, up] = PLANES[plane];
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [shape[across], shape[up]];
    const context = canvas.getContext("2d");
    const picture = context.createImageData(canvas.width, canvas.height);
    const colours = new Uint8Array(overlay.buffer);
    const [low, high] = contrast;
    const at = [...voxel];
    for (let row = 0, n = 0; row < canvas.height; row++) {
      at[up] = canvas.height - 1 - row; // rows go down, the axis leads up
      for (let column = 0; column < canvas.width; column++, n += 4) {
        at[across] = this.column(across, column);
        const index = indexOf(at);
        const share = (grey.levels[index] * grey.slope + grey.offset - low) / (high - low);
        const level = 255 * Math.max(0, Math.min(1, reversed ? 1 - share : share));
        const cover = colours[4 * index + 3] ? opacity : 0;
        for (let channel = 0; channel < 3; channel++) {
          picture.data[n + channel] = (1 - cover) * level + cover * colours[4 * index + channel];
        }
        picture.data[n + 3] = 255;
      }
    }
    context.putImageData(picture, 0, 0);
    return canvas;
  }

  mirrored(axis) {
    return axis === 0 && this.view.radiological;
  }

  /** Column of a voxel, or voxel of a column. */
  column(axis, n) {
    return this.mirrored(axis) ? facts.scan.shape[axis] - 1 - n : n;
  }

  pick(event, onPick) {
    const [x, y] = [event.offsetX * devicePixelRatio, event.offsetY * devicePixelRatio];
    for (const tile of this.tiles) {
      const [right, down] = [(x - tile.left) / tile.width, (y - tile.top) / tile.height];
      if (right < 0 || right >= 1 || down < 0 || down >= 1) continue;
      const [across, up] = PLANES[tile.plane];
      const { shape } = facts.scan;
      const voxel = [...this.view.voxel];
      voxel[across] = this.column(across, Math.floor(right * shape[across]));
      voxel[up] = Math.floor((1 - down) * shape[up]);
      onPick(inside(voxel));
    }
  }
}
