"use strict";
// Numbers to colours. The tables and constants are Python's, so a figure looks the same.

const look = {
  kind: facts.kind, // relevance or importance
  mode: "greyed", // greyed, colour, alone or error
  opacity: 1,
  threshold: 0, // share of the map's largest absolute value
  certain: false, // hide values within the interval of their error
  ownScale: false,
  palette: one("#palette").value,
};

// The maps on one colour scale: all of a unit, or each by itself.
function sharingScale(map) {
  return look.ownScale ? [map] : maps.filter((other) => unitOf(other) === unitOf(map));
}

const layerOf = (map, kind = look.kind) => map.layers[kind];
const isSigned = (kind = look.kind) => facts.kinds[kind].signed;
const endOf = (map, kind) => Math.max(...sharingScale(map).map((each) => layerOf(each, kind).largest)) || 1;
const errorEnd = (map) => Math.max(...sharingScale(map).map((each) => layerOf(each).largestError)) || 1;

const step = (share) => Math.max(0, Math.min(255, Math.floor(256 * share)));
const signedColour = (value, end) => facts.signed[look.palette].table[step((value / end + 1) / 2)];
const colourOn = (kind, value, end) =>
  isSigned(kind) ? signedColour(value, end) : facts.sequential[step(value / end)];
const errorColour = (value, end) => facts.error[step(value / end)];

function isShown(value, error, largest) {
  if (!(Math.abs(value) > look.threshold * largest)) return false;
  return !(look.certain && Math.abs(value) < facts.interval * error);
}

function countShown(map) {
  let shown = 0;
  const { values, error, largest } = layerOf(map);
  for (let i = 0; i < values.length; i++) {
    if (isShown(values[i], error[i], largest)) shown += 1;
  }
  return shown;
}

// Draw a map on a canvas, one pixel of the canvas for each of the picture.
function paint(canvas, map, mode = look.mode, kind = look.kind) {
  const [height, width] = pictureShapeOf(map);
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const colourOf = painter(map, mode, kind);
  for (let i = 0; i < width * height; i++) {
    const colour = colourOf(i);
    for (let part = 0; part < 3; part++) image.data[4 * i + part] = colour[part];
    image.data[4 * i + 3] = 255;
  }
  // Kept in main memory: it is written, not drawn.
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
}

// For each pixel of the picture its index in the map. A map of a hidden node has fewer pixels, each
// of which is stretched over a rectangle of the picture.
function mapIndices(map) {
  const [height, width] = pictureShapeOf(map);
  const [rows, columns] = shapeOf(map);
  const indices = new Uint32Array(height * width);
  for (let i = 0; i < indices.length; i++) {
    const [y, x] = [Math.floor(i / width), i % width];
    indices[i] = Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
  }
  return indices;
}

// The function from the number of a pixel to its colour.
function painter(map, mode, kind) {
  const { colour, grey } = pictureOf(map);
  const under = mode === "greyed" ? grey : colour;
  const picture = (i) => under.subarray(3 * i, 3 * i + 3);
  if (mode === "picture") return picture;
  const indices = mapIndices(map);
  const { values, error: errors, largest } = layerOf(map, kind);
  const valueAt = (i) => values[indices[i]];
  if (mode === "error") {
    const end = errorEnd(map);
    return (i) => {
      const error = errors[indices[i]];
      return Number.isNaN(error) ? facts.unknown : errorColour(error, end);
    };
  }
  const end = endOf(map, kind);
  const shown = (i) => isShown(valueAt(i), errors[indices[i]], largest);
  if (mode === "alone") {
    return (i) =>
      Number.isNaN(valueAt(i))
        ? facts.unknown
        : colourOn(kind, shown(i) ? valueAt(i) : 0, end);
  }
  const mixed = [0, 0, 0];
  return (i) => {
    const below = picture(i);
    if (!shown(i)) return below;
    const value = valueAt(i);
    const cover = look.opacity * Math.min(1, Math.abs(value) / end / facts.opaque);
    const above = colourOn(kind, value, end);
    for (let part = 0; part < 3; part++) {
      mixed[part] = Math.floor((1 - cover) * below[part] + cover * above[part] + 0.5);
    }
    return mixed;
  };
}

// The colour bar; values that the threshold hides are transparent.
function paintBar(canvas, map) {
  canvas.width = 512;
  canvas.height = 1;
  const image = new ImageData(512, 1);
  const end = endOf(map);
  for (let x = 0; x < 512; x++) {
    const value = (isSigned() ? (x + 0.5) / 256 - 1 : (x + 0.5) / 512) * end;
    const isError = look.mode === "error";
    const colour = isError ? facts.error[x >> 1] : colourOn(look.kind, value, end);
    const clear = !isError && Math.abs(value) <= look.threshold * layerOf(map).largest;
    image.data.set([...colour, clear ? 0 : 255], 4 * x);
  }
  // Kept in main memory: it is written, not drawn.
  canvas.getContext("2d", { willReadFrequently: true }).putImageData(image, 0, 0);
}
