"use strict";
// The numbers of the page, unpacked when they are first needed.

const facts = JSON.parse(document.getElementById("facts").textContent);
const { maps, explanations, pictures } = facts;

async function bytesOf(text) {
  const squeezed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const plain = new Blob([squeezed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

// Floats are packed with all first bytes first, then all second ones, and so on.
async function floatsOf(text) {
  const bytes = await bytesOf(text);
  const count = bytes.length / 4;
  const together = new Uint8Array(bytes.length);
  for (let i = 0; i < count; i++) {
    for (let part = 0; part < 4; part++) together[4 * i + part] = bytes[part * count + i];
  }
  return new Float32Array(together.buffer);
}

// In place of the text of some fields, what it holds.
async function unpack(holder, fields, reader) {
  await Promise.all(
    fields.map(async (field) => {
      if (typeof holder[field] === "string") holder[field] = await reader(holder[field]);
    }),
  );
  return holder;
}

const unpackMap = (map) => unpack(map, ["relevance", "error"], floatsOf);
const unpackPicture = (picture) => unpack(picture, ["colour", "grey"], bytesOf);

// The corners of a map's windows, and what each of them said.
async function windowsOf(map) {
  const texts = [explanations[map.explanation].corners, map.evidence, map.evidenceError];
  const [corners, evidence, errors] = await Promise.all(texts.map(floatsOf));
  return { corners, evidence, errors, size: explanations[map.explanation].window };
}

const shapeOf = (map) => explanations[map.explanation].shape;
const pictureShapeOf = (map) => explanations[map.explanation].pictureShape;
const unitOf = (map) => explanations[map.explanation].unit;
const pictureOf = (map) => pictures[explanations[map.explanation].picture];

// The map with a wanted choice that otherwise is most like another one.
function nearest(from, selector, choice) {
  const likeness = (map) =>
    map.choices.reduce((sum, each, i) => sum + (each === from.choices[i] ? 2 ** -i : 0), 0);
  const candidates = maps.filter((map) => map.choices[selector] === choice);
  return candidates.reduce((best, map) => (likeness(map) > likeness(best) ? map : best));
}

// A number with three digits, as a person reads it.
function three(value) {
  if (Number.isNaN(value)) return "unknown";
  return Number(value.toPrecision(3)).toString().replaceAll("-", "−");
}

const withSign = (value) => (value > 0 ? "+" : "") + three(value);
