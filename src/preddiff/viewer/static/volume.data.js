"use strict";
/* The numbers in the page: volumes as packed int16, and colours.
   A voxel is [right, front, up], counted from the patient's left, back and bottom: Python has turned
   all volumes that way, so that nothing is flipped here but what the reader asks for. */

const facts = JSON.parse(document.getElementById("facts").textContent);
const HEADER = 352; // bytes of a NIfTI header
const UNKNOWN = -32768; // no window covers the voxel

const SCAN = 0; // the first volume; all others are maps

const unpacked = new Map();

const EXACT = null; // where a map has no standard error

/** A volume of the page by its number; one that came later is returned as it is. */
function volume(numberOrVolume) {
  if (typeof numberOrVolume !== "number") return numberOrVolume;
  const number = numberOrVolume;
  if (!unpacked.has(number)) unpacked.set(number, unpackElement(`volume-${number}`).then(read));
  return unpacked.get(number);
}

/** Its NIfTI bytes, int16 levels, and the value of one level. */
function read(bytes) {
  const step = new DataView(bytes).getFloat32(56, true); // voxels along each axis that share a level
  const shape = facts.scan.shape.map((length) => Math.ceil(length / step));
  const nifti = spread(sumDifferences(new Uint8Array(bytes), shape), shape, step);
  const header = new DataView(nifti, 0, HEADER);
  return {
    nifti,
    levels: new Int16Array(nifti, HEADER),
    slope: header.getFloat32(112, true),
    offset: header.getFloat32(116, true),
  };
}

/** A NIfTI file from its header, and the low and the high bytes of the differences between
    neighbours along every axis: sums along one axis after the other undo them. */
function sumDifferences(bytes, shape) {
  const nifti = bytes.slice().buffer;
  const levels = new Int16Array(nifti, HEADER);
  const [low, high] = [bytes.subarray(HEADER), bytes.subarray(HEADER + levels.length)];
  for (let n = 0; n < levels.length; n++) levels[n] = low[n] | (high[n] << 8);
  let apart = 1; // how far neighbours along an axis are from each other
  for (const length of shape) {
    for (let n = apart; n < levels.length; n++) {
      if (Math.floor(n / apart) % length > 0) levels[n] += levels[n - apart]; // wraps around, as int16
    }
    apart *= length;
  }
  return nifti;
}

/** A NIfTI file with every voxel of the scan, of one in which step³ of them share a level. */
function spread(coarse, shape, step) {
  if (step === 1) return coarse;
  const [width, depth, height] = facts.scan.shape;
  const held = new Int16Array(coarse, HEADER);
  const nifti = new ArrayBuffer(HEADER + 2 * width * depth * height);
  new Uint8Array(nifti).set(new Uint8Array(coarse, 0, HEADER));
  facts.scan.shape.forEach((length, axis) => new DataView(nifti).setInt16(42 + 2 * axis, length, true));
  const levels = new Int16Array(nifti, HEADER);
  let to = 0;
  for (let k = 0; k < height; k++) {
    for (let j = 0; j < depth; j++) {
      const row = shape[0] * (Math.floor(j / step) + shape[1] * Math.floor(k / step));
      for (let i = 0; i < width; i++) levels[to++] = held[row + Math.floor(i / step)];
    }
  }
  return nifti;
}

/** Unpack the text of an element, and remove it: megabytes that are needed only once. */
function unpackElement(id) {
  const element = one(`#${id}`);
  element.remove();
  return unzip(element.textContent);
}

/** The colours of each palette: 256 for each threshold. */
async function unpackColours() {
  for (const palette of Object.values(facts.palettes)) {
    palette.colours = new Uint8Array(await unzip(palette.colours));
  }
  facts.sequential = new Uint8Array(await unzip(facts.sequential));
}

/** Index of a voxel among a volume's levels. */
function indexOf([i, j, k]) {
  const [width, depth] = facts.scan.shape;
  return i + width * (j + depth * k);
}

/** Whether a level is above a threshold in percent of the largest. Levels are rounded away from zero,
    so that this says the same as a comparison of the values in Python. */
function isShown(level, threshold) {
  return level !== UNKNOWN && Math.abs(level) > (threshold * facts.levels) / 100;
}

/** Colours of all levels as RGBA, transparent up to the threshold: a table, so that to colour a million
    voxels takes one look-up for each. */
function coloursAbove({ threshold, palette, kind }) {
  const { signed } = facts.kinds[kind];
  const colours = signed ? facts.palettes[palette].colours : facts.sequential;
  const bytes = new Uint8Array(4 * 65536);
  for (let level = signed ? -facts.levels : 0; level <= facts.levels; level++) {
    const share = level / facts.levels;
    const step = 256 * threshold + Math.round(255 * (signed ? (share + 1) / 2 : share));
    const to = 4 * (level - UNKNOWN);
    for (let channel = 0; channel < 3; channel++) bytes[to + channel] = colours[3 * step + channel];
    bytes[to + 3] = isShown(level, threshold) ? 255 : 0;
  }
  return new Uint32Array(bytes.buffer);
}

/** The colours of a map's voxels, and how many of these are shown and known. */
function colourVoxels({ levels, slope }, error, look) {
  const colours = coloursAbove(look);
  const voxels = new Uint32Array(levels.length);
  // |value| < interval · error, both in levels: the two volumes have slopes of their own.
  const hidden = look.certain && error ? (facts.interval * error.slope) / slope : 0;
  let [shown, known] = [0, 0];
  for (let n = 0; n < levels.length; n++) {
    if (levels[n] !== UNKNOWN) known++;
    if (hidden && Math.abs(levels[n]) < hidden * error.levels[n]) continue;
    voxels[n] = colours[levels[n] - UNKNOWN];
    if (voxels[n] >>> 24) shown++;
  }
  return { voxels, shown, known };
}

/** Position of a voxel in millimetres to the right, front and top. */
function millimetres([i, j, k]) {
  return facts.scan.affine.slice(0, 3).map((row) => row[0] * i + row[1] * j + row[2] * k + row[3]);
}

/** The nearest voxel that the scan has. */
function inside(voxel) {
  return voxel.map((n, axis) => Math.max(0, Math.min(facts.scan.shape[axis] - 1, Math.round(n))));
}

/** Index of a voxel in Python's arrays: [z, y, x], in the axes of the file. */
function asInFile(voxel) {
  return facts.scan.file.map(([axis, flipped]) =>
    flipped ? facts.scan.shape[axis] - 1 - voxel[axis] : voxel[axis],
  );
}

/** A value with three digits, or as many as its level has: small levels are coarse. */
function digits(level, slope) {
  const known = Math.floor(Math.log10(Math.max(1, Math.abs(level)))) + 1;
  return Number((level * slope).toPrecision(Math.min(3, known))).toString();
}

/** The voxel with the largest value, at which the page opens; of a map of zeros, its middle. */
function strongest({ levels }) {
  const [width, depth, height] = facts.scan.shape;
  let [best, largest] = [0, -1];
  levels.forEach((level, n) => {
    if (level !== UNKNOWN && Math.abs(level) > largest) [best, largest] = [n, Math.abs(level)];
  });
  if (largest <= 0) return [width, depth, height].map((length) => Math.floor(length / 2));
  return [best % width, Math.floor(best / width) % depth, Math.floor(best / (width * depth))];
}
