"use strict";
// The numbers of the page, unpacked when they are first needed.

const facts = JSON.parse(one("#facts").textContent);
const { maps, explanations, pictures } = facts;

const bytesOf = async (text) => new Uint8Array(await unzip(text));

// Floats are packed in planes: all first bytes, then all second ones, and so on.
async function floatsOf(text) {
  const bytes = await bytesOf(text);
  const count = bytes.length / 4;
  const together = new Uint8Array(bytes.length);
  for (let i = 0; i < count; i++) {
    for (let part = 0; part < 4; part++) together[4 * i + part] = bytes[part * count + i];
  }
  return new Float32Array(together.buffer);
}

// Replace the packed text of some fields by what it holds, once.
async function unpack(holder, fields, reader) {
  await Promise.all(
    fields.map(async (field) => {
      if (typeof holder[field] === "string") holder[field] = await reader(holder[field]);
    }),
  );
  return holder;
}

const unpackMap = (map) =>
  Promise.all(Object.values(map.layers).map((layer) => unpack(layer, ["values", "error"], floatsOf)));
const unpackPicture = (picture) => unpack(picture, ["colour", "grey"], bytesOf);

// The corners and lengths of a map's windows, and the evidence of each.
async function windowsOf(map) {
  const { corners: places, lengths: sizes } = explanations[map.explanation];
  const texts = [places, sizes, map.evidence, map.evidenceError];
  const [corners, lengths, evidence, errors] = await Promise.all(texts.map(floatsOf));
  return { corners, lengths, evidence, errors };
}

const shapeOf = (map) => explanations[map.explanation].shape;
const pictureShapeOf = (map) => explanations[map.explanation].pictureShape;
const unitOf = (map) => explanations[map.explanation].unit;
const pictureOf = (map) => pictures[explanations[map.explanation].picture];

// The map with a certain choice that is otherwise most like the one shown. Choices come in order of
// weight: to agree in an earlier one counts more than to agree in all later ones.
function nearest(from, selector, choice) {
  const likeness = (map) =>
    map.choices.reduce((sum, each, i) => sum + (each === from.choices[i] ? 2 ** -i : 0), 0);
  const candidates = maps.filter((map) => map.choices[selector] === choice);
  return candidates.reduce((best, map) => (likeness(map) > likeness(best) ? map : best));
}

// A number with three digits and a proper minus sign.
function three(value) {
  if (Number.isNaN(value)) return "unknown";
  return Number(value.toPrecision(3)).toString().replaceAll("-", "−");
}

const withSign = (value) => (value > 0 ? "+" : "") + three(value);
