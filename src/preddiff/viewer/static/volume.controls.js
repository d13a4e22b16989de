"use strict";
/* State and controls. Everything that changes the state calls `change`; one drawing follows. */

const PLANE_NAMES = ["sagittal", "coronal", "axial"]; // across the first, second and third axis

const canvas = one("#view");
const state = {
  explanation: 0, target: 0, voxel: [0, 0, 0], threshold: facts.threshold, certain: false, opacity: 1,
  kind: facts.kind, palette: one("#palette").value, reversed: false, radiological: false, layout: "all", azimuth: 110,
};
let renderer, drawing, overlay;

const explanation = () => facts.explanations[state.explanation];
const target = () => explanation().targets[state.target];
const layer = () => target().layers[state.kind];
const isSigned = () => facts.kinds[state.kind].signed;

/** Change the state; a drawing follows as soon as the browser is ready for it. */
function change(changes) {
  const { label } = target();
  Object.assign(state, changes);
  if ("explanation" in changes) {
    state.target = Math.max(0, explanation().targets.findIndex((each) => each.label === label));
  }
  document.body.dataset.ready = "no";
  drawing ??= new Promise(requestAnimationFrame).then(draw).catch(fail);
  return drawing;
}

async function draw() {
  let drawn;
  do {
    drawn = JSON.stringify(state);
    const [grey, map, error] = await Promise.all([SCAN, layer().map, layer().error].map(volume));
    const look = JSON.stringify([state.threshold, state.certain, state.palette, state.kind]);
    if (overlay?.map !== map || overlay.look !== look) {
      overlay = { map, look, ...colourVoxels(map, error, state) };
    }
    await renderer.draw({ ...state, grey, overlay: overlay.voxels });
    describeMap();
    describeCrosshair(grey, map, error);
  } while (drawn !== JSON.stringify(state));
  drawing = undefined;
  document.body.dataset.ready = "yes";
}

function describeMap() {
  const { unit, sides: [above, below] } = explanation();
  offerTargets();
  one("#about").textContent = `“${target().label}”`;
  one("#threshold-value").textContent =
    `${state.threshold} % of the maximum (${short((state.threshold / 100) * layer().end)} ${unit})`;
  one("#opacity-value").textContent = `${Math.round(100 * state.opacity)} %`;
  one("#shown").textContent =
    `${overlay.shown.toLocaleString("en")} of ${overlay.known.toLocaleString("en")} voxels`;
  one("label:has(#certain)").hidden = layer().error === EXACT;
  const end = short(layer().end);
  one("#against").textContent = isSigned() ? `−${end} ${unit}, ${below}` : "0";
  one("#middle").textContent = isSigned() ? "0" : "";
  one("#for").textContent = isSigned() ? `${above}, +${end} ${unit}` : `${end} ${unit}`;
  describeKind();
  showOnly(state.explanation, state.target);
  drawBar(one("#bar"));
  const palette = facts.palettes[state.palette];
  nameEvidenceColours(palette, (step) => palette.colours.subarray(3 * step, 3 * step + 3));
}

function describeKind() {
  one("#value-name").textContent = kindName();
  one("#bar").setAttribute("aria-label", `Colour scale of ${state.kind}. Values up to the threshold are not shown.`);
  one("label:has(#palette)").hidden = !isSigned();
  for (const element of all("[data-kind]")) element.hidden = element.dataset.kind !== state.kind;
}

const kindName = () => state.kind[0].toUpperCase() + state.kind.slice(1);

function offerTargets() {
  const { symbol, targets } = explanation();
  const names = targets.map(({ label, value }) => `${label} (${symbol}${value})`);
  const offered = all("#target option").map((option) => option.textContent);
  if (names.join() !== offered.join()) {
    one("#target").replaceChildren(...names.map((name, n) => new Option(name, n)));
  }
  one("#target").value = state.target;
  one("#explanation").value = state.explanation;
}

function describeCrosshair(grey, map, error) {
  const { shape, oriented } = facts.scan;
  const index = indexOf(state.voxel);
  const level = map.levels[index];
  const where = millimetres(state.voxel).map((mm) => signed(mm.toFixed(1)));
  PLANE_NAMES.forEach((axis, n) => {
    one(`#${axis}`).max = shape[n] - 1;
    one(`#${axis}`).value = state.voxel[n];
    one(`#${axis}-value`).textContent = oriented ? `${where[n]} mm` : state.voxel[n];
  });
  one("#position").textContent = oriented ? `${where.join(", ")} mm` : "unknown";
  one("#voxel").textContent = `[${asInFile(state.voxel).join(", ")}]`;
  const { unit } = explanation();
  one("#value").textContent =
    level === UNKNOWN ? "not analysed" : `${(isSigned() ? withSign : signed)(digits(level, map.slope))} ${unit}`;
  one("#error").textContent = error === EXACT ? "none (exact)" : errorAt(index, error);
  one("#intensity").textContent = signed(short(grey.levels[index] * grey.slope + grey.offset));
  one("#sides").textContent = oriented
    ? `The patient's left is on the ${state.radiological ? "right" : "left"} of the picture.`
    : "This scan does not say which side is left.";
}

function errorAt(index, { levels, slope }) {
  if (levels[index] === UNKNOWN) return "unknown";
  return `${digits(levels[index], slope)} ${explanation().unit}`;
}

const short = (number) => Number(number.toPrecision(3)).toString();
const signed = (text) => text.replace("-", "−");
const withSign = (text) => (Number(text) > 0 ? "+" : "") + signed(text);

/** Draw the colour bar; values up to the threshold are transparent. */
function drawBar(bar) {
  const context = bar.getContext("2d");
  const picture = context.createImageData(bar.width, 1);
  const colours = new Uint8Array(coloursAbove(state).buffer);
  for (let x = 0; x < bar.width; x++) {
    const share = (2 * x + 1) / bar.width;
    const level = Math.round((isSigned() ? share - 1 : share / 2) * facts.levels);
    picture.data.set(colours.subarray(4 * (level - UNKNOWN), 4 * (level - UNKNOWN) + 4), 4 * x);
  }
  context.putImageData(picture, 0, 0);
}

/** The voxel some steps along an axis; it stops at the end, or goes on at the other one. */
function stepped(axis, by, around = false) {
  const length = facts.scan.shape[axis];
  const voxel = [...state.voxel];
  voxel[axis] += by;
  if (around) voxel[axis] = (voxel[axis] + length) % length;
  return inside(voxel);
}

/** Keys on the view: arrows move in the plane, Page Up and Down through it, Space plays. */
function press(event) {
  event.stopImmediatePropagation(); // NiiVue's own keys would change what the controls say
  const [across, up, through] = PLANES[state.layout] ?? PLANES.axial;
  const right = across === 0 && state.radiological ? -1 : 1;
  const steps = {
    ArrowRight: [across, right], ArrowLeft: [across, -right], ArrowUp: [up, 1], ArrowDown: [up, -1],
    PageUp: [through, 1], PageDown: [through, -1],
  };
  if (event.key === " ") play();
  else if (event.key in steps) change({ voxel: stepped(...steps[event.key]) });
  else return;
  event.preventDefault();
}

function listen() {
  const on = (id, to) => one(id).addEventListener("input", ({ target: { value, checked } }) => change(to(value, checked)));
  on("#explanation", (value) => ({ explanation: Number(value) }));
  on("#target", (value) => ({ target: Number(value) }));
  for (const choice of all("[name=kind]")) choice.addEventListener("input", () => change({ kind: choice.value }));
  on("#layout", (value) => ({ layout: value }));
  on("#threshold", (value) => ({ threshold: Number(value) }));
  on("#certain", (_, checked) => ({ certain: checked }));
  on("#palette", (value) => ({ palette: value }));
  on("#opacity", (value) => ({ opacity: value / 100 }));
  on("#reversed", (_, checked) => ({ reversed: checked }));
  on("#neurological", () => ({ radiological: false }));
  on("#radiological", () => ({ radiological: true }));
  PLANE_NAMES.forEach((axis, n) => on(`#${axis}`, (value) => ({ voxel: stepped(n, value - state.voxel[n]) })));
  one("#play").addEventListener("click", play);
  one("#save").addEventListener("click", save);
}

/** Start NiiVue where there is WebGL2, else slices on a plain canvas. */
async function start() {
  const onPick = (voxel) => change({ voxel });
  canvas.addEventListener("keydown", press);
  canvas.addEventListener("keyup", (event) => event.stopImmediatePropagation());
  const hasGraphics = NiivueRenderer.works(canvas);
  if (hasGraphics) await NiivueRenderer.load();
  renderer = new (hasGraphics ? NiivueRenderer : CanvasRenderer)(canvas, onPick);
  document.body.dataset.renderer = hasGraphics ? "niivue" : "canvas";
  one("#no-webgl").hidden = hasGraphics;
  if (!hasGraphics) {
    state.layout = "planes";
    for (const option of all("[data-needs=webgl]")) option.disabled = true;
  }
  one("#layout").value = state.layout;
  await unpackColours();
  state.voxel = strongest(await volume(layer().map));
  for (const control of all("[data-needs=sides]")) control.disabled = !facts.scan.oriented;
  await renderer.start();
  listen();
  await change({});
}

function fail(error) {
  one("#failure").hidden = false;
  one("#failure").textContent = `This page could not be drawn: ${error.message}`;
  throw error;
}

const begun = start().catch(fail);
