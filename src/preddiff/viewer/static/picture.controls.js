"use strict";
// The controls, and what they change.

const PALE_SHARE = 0.5; // of the colour scale: a map that does not reach it looks pale

let current = maps[0];
let pointer = null; // [y, x] as shares of the picture, so that maps of any size are linked
let outlined = null; // the window of the list that is pointed at

const pixelOf = (map) => pointer && pointer.map((share, axis) => Math.floor(share * shapeOf(map)[axis]));
const indexOf = (map) => pixelOf(map)[0] * shapeOf(map)[1] + pixelOf(map)[1];
const isSymbol = (map) => (["bits", "probability"].includes(unitOf(map)) ? "p" : "value");

async function choose(map) {
  await Promise.all([unpackMap(map), unpackPicture(pictureOf(map))]);
  current = map;
  one("#label").textContent = map.label;
  one("#value").textContent = `${isSymbol(map)} = ${map.value}`;
  showOnly(map.explanation, map.target);
  for (const input of all("[data-selector]")) {
    const choice = map.choices[input.dataset.selector];
    if (input.type === "radio") input.checked = input.value === choice;
    else input.value = choice;
  }
  for (const text of all(".bits")) text.textContent = unitOf(map) === "bits" ? "One bit doubles the odds." : "";
  one("#original").parentElement.hidden = !explanations[map.explanation].crop;
  one("#gaps").hidden = !explanations[map.explanation].gaps;
  closeWindows();
  showAll();
}

function showAll() {
  showKind();
  const [height, width] = shapeOf(current);
  paint(one("#view"), current);
  one("#marks").setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [tall, wide] = pictureShapeOf(current);
  document.body.style.setProperty("--ratio", wide / tall);
  one("#opacity-value").textContent = `${Math.round(100 * look.opacity)} %`;
  const least = look.threshold * layerOf(current).largest;
  one("#threshold-value").textContent =
    `${Math.round(100 * look.threshold)} % of the maximum (${three(least)} ${unitOf(current)})`;
  const [shown, of] = [countShown(current), layerOf(current).values.length];
  one("#shown").textContent = `${shown.toLocaleString("en")} of ${of.toLocaleString("en")} pixels shown`;
  const share = layerOf(current).largest / endOf(current);
  one("#pale").hidden = share > PALE_SHARE;
  one("#pale").textContent =
    `Pale because all maps share one colour scale: this one reaches ${three(100 * share)} % of it.`;
  showBar();
  showPointer();
  for (const tile of tiles) tile.show();
}

// The words for the kind of map that is shown.
function showKind() {
  one("#view-name").textContent = `${look.kind} for ${current.name}`;
  one("#value-name").textContent = look.kind[0].toUpperCase() + look.kind.slice(1);
  for (const element of all("[data-kind]")) element.hidden = element.dataset.kind !== look.kind;
  const palette = facts.signed[look.palette];
  const [above, below] = explanations[current.explanation].sides;
  const caption = isSigned()
    ? `evidence ${above} (${palette.for}) and ${below} (${palette.against})`
    : facts.kinds[look.kind].caption;
  if (one("#kind-caption")) one("#kind-caption").textContent = caption;
}

function showBar() {
  const isError = look.mode === "error";
  const fromZero = isError || !isSigned();
  const [end, unit] = [three(isError ? errorEnd(current) : endOf(current)), unitOf(current)];
  paintBar(one("#bar"), current);
  const [above, below] = explanations[current.explanation].sides;
  one("#low").textContent = fromZero ? "0" : `−${end} ${unit}, ${below}`;
  one("#middle").textContent = isError ? "standard error" : fromZero ? look.kind : "0";
  one("#high").textContent = fromZero ? `${end} ${unit}` : `${above}, +${end} ${unit}`;
  const palette = facts.signed[look.palette];
  nameEvidenceColours(palette, (step) => palette.table[step]);
}

// Update everything that depends on the pixel that is pointed at.
function showPointer() {
  const at = pixelOf(current);
  for (const tile of tiles) tile.point();
  one("#tick").hidden = !at;
  drawMarks(at);
  if (!at) {
    for (const id of ["pixel", "original", "relevance", "error", "meaning"]) one(`#${id}`).textContent = "–";
    return;
  }
  const layer = layerOf(current);
  const [value, error] = [layer.values[indexOf(current)], layer.error[indexOf(current)]];
  const unit = unitOf(current);
  one("#pixel").textContent = `x ${at[1]}, y ${at[0]}`;
  one("#original").textContent = onOriginal(at);
  one("#relevance").textContent = withUnit(asText(value), unit);
  one("#error").textContent = withUnit(three(error), unit);
  one("#meaning").textContent = meaning(value, error);
  const share = look.mode === "error" ? error / errorEnd(current) : placeOnScale(value / endOf(current));
  one("#tick").hidden = Number.isNaN(share);
  one("#tick").style.left = `${100 * Math.max(0, Math.min(1, share))}%`;
}

// Where the middle of a pixel is on the picture that was cropped and resized for the network.
function onOriginal(at) {
  const [left, top, width, height] = explanations[current.explanation].crop ?? [0, 0, 0, 0];
  const [down, across] = at.map((pixel, axis) => (pixel + 0.5) / shapeOf(current)[axis]);
  return `x ${Math.floor(left + across * width)}, y ${Math.floor(top + down * height)}`;
}

const asText = (value, kind) => (isSigned(kind) ? withSign(value) : three(value));
const placeOnScale = (share) => (isSigned() ? (share + 1) / 2 : share);
const withUnit = (text, unit) => (text === "unknown" ? text : `${text} ${unit}`);

function meaning(value, error) {
  if (Number.isNaN(value)) return "not analysed";
  if (Math.abs(value) < facts.interval * error) return "cannot be told from zero (95 %)";
  if (value === 0) return isSigned() ? "no evidence" : "the answer does not depend on it";
  if (!isSigned()) return "the answer depends on it";
  const [above, below] = explanations[current.explanation].sides;
  return `evidence ${value > 0 ? above : below}`;
}

function drawMarks(at) {
  const [height, width] = shapeOf(current);
  one("#cross").setAttribute(
    "d",
    at ? `M0 ${at[0] + 0.5}H${width}M${at[1] + 0.5} 0V${height}` : "",
  );
  const outline = one("#outline");
  outline.toggleAttribute("hidden", !outlined);
  if (!outlined) return;
  const { left: x, top: y } = outlined;
  const attributes = { x, y, width: outlined.width, height: outlined.height };
  for (const [name, value] of Object.entries(attributes)) outline.setAttribute(name, value);
}

function closeWindows() {
  one("#covering").hidden = true;
  outlined = null;
}

function openWindows() {
  showCovering(current, pixelOf(current), (window) => {
    outlined = window;
    drawMarks(pixelOf(current));
  });
}

function pointAt(event) {
  const box = event.currentTarget.getBoundingClientRect();
  const shares = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
  pointer = shares.map((share) => Math.max(0, Math.min(share, 1 - 1e-9)));
  showPointer();
}

function onKey(event) {
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const shape = shapeOf(current);
  if (event.key in moves) {
    const from = pixelOf(current) ?? shape.map((n) => n >> 1);
    const far = event.shiftKey ? 10 : 1;
    const to = from.map((pixel, axis) => pixel + far * moves[event.key][axis]);
    pointer = to.map((pixel, axis) => (Math.max(0, Math.min(pixel, shape[axis] - 1)) + 0.5) / shape[axis]);
    showPointer();
  } else if (event.key === "Enter" && pointer) openWindows();
  else if (event.key === "Escape") {
    pointer = null;
    closeWindows();
    showPointer();
  } else return;
  event.preventDefault();
}

let isRepaintQueued = false;

// At most once a frame, however quickly a slider moves.
function repaint() {
  if (isRepaintQueued) return;
  isRepaintQueued = true;
  requestAnimationFrame(() => {
    isRepaintQueued = false;
    showAll();
  });
}

function listen() {
  const on = (id, event, act) =>
    one(`#${id}`)?.addEventListener(event, () => {
      act(one(`#${id}`));
      repaint();
    });
  on("opacity", "input", (input) => (look.opacity = input.value / 100));
  on("threshold", "input", (input) => (look.threshold = input.value / 100));
  on("certain", "change", (input) => (look.certain = input.checked));
  on("own-scale", "change", (input) => (look.ownScale = input.checked));
  on("palette", "change", (input) => (look.palette = input.value));
  for (const radio of all("input[name=kind]")) {
    radio.addEventListener("change", () => {
      look.kind = radio.value;
      repaint();
    });
  }
  for (const radio of all("input[name=mode]")) {
    radio.addEventListener("change", () => {
      look.mode = radio.value;
      one("#opacity").disabled = ["alone", "error"].includes(look.mode);
      for (const id of ["threshold", "certain"]) one(`#${id}`).disabled = look.mode === "error";
      repaint();
    });
  }
  for (const input of all("[data-selector]")) {
    input.addEventListener("change", () =>
      choose(nearest(current, Number(input.dataset.selector), input.value)),
    );
  }
  const view = one("#view");
  view.addEventListener("pointermove", pointAt);
  view.addEventListener("click", (event) => {
    pointAt(event);
    openWindows();
  });
  view.addEventListener("keydown", onKey);
  one("#save").addEventListener("click", () => savePicture(view, current, caption()));
}

function caption() {
  return {
    title: document.querySelector("h1").textContent.trim(),
    low: one("#low").textContent,
    middle: one("#middle").textContent,
    high: one("#high").textContent,
    foot: explanations[current.explanation].settings,
    file: `${document.title.split(":")[0].replace(/\.\w+$/, "")} ${current.name}${look.kind === facts.kind ? "" : ` ${look.kind}`}.png`,
  };
}

// The map of the first target that fills its scale best: others may be too pale on a common scale.
function boldest() {
  const share = (map) => layerOf(map).largest / endOf(map);
  const first = maps.filter((map) => map.choices[0] === maps[0].choices[0]);
  return first.reduce((best, map) => (share(map) > share(best) ? map : best));
}

async function begin() {
  if (typeof DecompressionStream === "undefined") {
    one("#view-help").textContent = "This browser is too old to unpack the maps; use one that was released in 2023 or later.";
    return;
  }
  listen();
  await choose(boldest());
  document.body.dataset.ready = "yes";
  await makeTiles();
  document.body.dataset.complete = "yes";
}

const begun = begin();
