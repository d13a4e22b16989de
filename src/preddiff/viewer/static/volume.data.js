"use strict";
/* The numbers in the page: volumes as packed int16, colours and grids; and what follows from them.
   A voxel is [to the right, to the front, up], in steps of its scan's grid. */

const facts = JSON.parse(document.getElementById("facts").textContent);
const HEADER = 352; // bytes of a NIfTI header
const UNKNOWN = -32768; // no window covers the voxel

const SCAN = 0; // the first volume; all others are maps

const unpacked = new Map();

const EXACT = null; // where a map has no standard error

/** A volume of the page by its number, or one that came later as it is. */
function volume(held) {
  if (typeof held !== "number") return held;
  if (!unpacked.has(held)) unpacked.set(held, taken(`volume-${held}`).then(read));
  return unpacked.get(held);
}

/** Its NIfTI bytes, int16 levels, and the value of one level. */
function read(bytes) {
  const nifti = stepsToLevels(new Uint8Array(bytes));
  const header = new DataView(nifti, 0, HEADER);
  return {
    nifti,
    levels: new Int16Array(nifti, HEADER),
    slope: header.getFloat32(112, true),
    offset: header.getFloat32(116, true),
  };
}

/** A NIfTI file from its header, the low and the high bytes of the steps from voxel to voxel along
    every axis in turn. */
function stepsToLevels(bytes) {
  const nifti = bytes.slice().buffer;
  const levels = new Int16Array(nifti, HEADER);
  const [low, high] = [bytes.subarray(HEADER), bytes.subarray(HEADER + levels.length)];
  for (let n = 0; n < levels.length; n++) levels[n] = low[n] | (high[n] << 8);
  let apart = 1; // how far neighbours along an axis are from each other
  for (const length of facts.scan.shape) {
    for (let n = apart; n < levels.length; n++) {
      if (Math.floor(n / apart) % length > 0) levels[n] += levels[n - apart]; // wraps around, as int16
    }
    apart *= length;
  }
  return nifti;
}

/** What is packed in an element, which is removed: a copy of it would only cost memory. */
function taken(id) {
  const element = document.getElementById(id);
  element.remove();
  return unzip(element.textContent);
}

function unzip(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** The colours of each palette: 256 for each threshold. */
async function unpackColours() {
  for (const palette of Object.values(facts.palettes)) {
    palette.colours = new Uint8Array(await unzip(palette.colours));
  }
}

/** Place of a voxel in a volume's levels. */
function place([i, j, k]) {
  const [width, depth] = facts.scan.shape;
  return i + width * (j + depth * k);
}

/** Whether a level is above a threshold in percent of the largest, as it is in Python: levels are
    rounded away from zero, so that none is lost or won. */
function isShown(level, threshold) {
  return level !== UNKNOWN && Math.abs(level) > (threshold * facts.levels) / 100;
}

/** Colours of all levels, as a picture's four bytes: clear up to the threshold. */
function coloursAbove({ threshold, palette }) {
  const { colours } = facts.palettes[palette];
  const bytes = new Uint8Array(4 * 65536);
  for (let level = -facts.levels; level <= facts.levels; level++) {
    const step = 256 * threshold + Math.round((255 / 2) * (level / facts.levels + 1));
    const to = 4 * (level - UNKNOWN);
    for (let channel = 0; channel < 3; channel++) bytes[to + channel] = colours[3 * step + channel];
    bytes[to + 3] = isShown(level, threshold) ? 255 : 0;
  }
  return new Uint32Array(bytes.buffer);
}

/** A map's colours, voxel by voxel, and how many of its voxels are shown and known. */
function painted({ levels, slope }, error, look) {
  const colours = coloursAbove(look);
  const voxels = new Uint32Array(levels.length);
  const hidden = look.certain && error ? (facts.interval * error.slope) / slope : 0; // levels per error's
  let [shown, known] = [0, 0];
  for (let n = 0; n < levels.length; n++) {
    if (levels[n] !== UNKNOWN) known++;
    if (hidden && Math.abs(levels[n]) < hidden * error.levels[n]) continue;
    voxels[n] = colours[levels[n] - UNKNOWN];
    if (voxels[n] >>> 24) shown++;
  }
  return { voxels, shown, known };
}

/** Right, front and up of a voxel, in millimetres. */
function millimetres([i, j, k]) {
  return facts.scan.affine.slice(0, 3).map((row) => row[0] * i + row[1] * j + row[2] * k + row[3]);
}

/** The nearest voxel that the scan has. */
function inside(voxel) {
  return voxel.map((n, axis) => Math.max(0, Math.min(facts.scan.shape[axis] - 1, Math.round(n))));
}

/** A voxel as arrays in Python count it: [z, y, x], in the order of the file. */
function asInFile(voxel) {
  return facts.scan.file.map(([axis, flipped]) =>
    flipped ? facts.scan.shape[axis] - 1 - voxel[axis] : voxel[axis],
  );
}

/** Three digits, or as many as a level has. */
function digits(level, slope) {
  const known = Math.floor(Math.log10(Math.max(1, Math.abs(level)))) + 1;
  return Number((level * slope).toPrecision(Math.min(3, known))).toString();
}

/** The voxel where a map is strongest: where the page begins. */
function strongest({ levels }) {
  const [width, depth] = facts.scan.shape;
  let [best, largest] = [0, -1];
  levels.forEach((level, n) => {
    if (level !== UNKNOWN && Math.abs(level) > largest) [best, largest] = [n, Math.abs(level)];
  });
  return [best % width, Math.floor(best / width) % depth, Math.floor(best / (width * depth))];
}
