"use strict";
// The windows that cover a pixel, and the evidence of each.

const STRONGEST = 8; // in the table

function covering({ corners, lengths, evidence, errors }, [y, x]) {
  const found = [];
  for (let w = 0; w < corners.length / 2; w++) {
    const [top, left] = [corners[2 * w], corners[2 * w + 1]];
    const [height, width] = [lengths[2 * w], lengths[2 * w + 1]];
    if (top <= y && y < top + height && left <= x && x < left + width) {
      found.push({ top, left, height, width, evidence: evidence[w], error: errors[w] });
    }
  }
  return found.sort((a, b) => Math.abs(b.evidence) - Math.abs(a.evidence));
}

// Fill the panel about a pixel; `outline` is called with the window that a reader points at, or null.
async function showCovering(map, pixel, outline) {
  if (explanations[map.explanation].areRegions) return; // of which a pixel has one
  const found = covering(await windowsOf(map), pixel);
  const unit = unitOf(map);
  const { isPartial } = explanations[map.explanation];
  one("#covering-summary").textContent = summaryOf(found, pixel, unit, isPartial);
  one("#covering-unit").textContent = unit;
  paintCovering(one("#covering-map"), map, pixel, found);
  const rows = found.slice(0, STRONGEST).map((window) => rowOf(window, map, outline));
  one("#covering-rows").replaceChildren(...rows);
  one("#covering").hidden = false;
}

function summaryOf(found, [y, x], unit, isPartial) {
  const pixel = `pixel x ${x}, y ${y}`;
  if (found.length === 0) return `No window covers ${pixel}.`;
  const values = found.map((window) => window.evidence);
  if (found.length === 1) return `One window covers ${pixel}. Its evidence is ${withSign(values[0])} ${unit}.`;
  const sizeOf = (window) => `${window.height}×${window.width}`;
  const sizes = [...new Set(found.map(sizeOf))];
  const mean = meanOf(sizes.map((size) => meanOf(found.filter((window) => sizeOf(window) === size).map((window) => window.evidence))));
  return (
    `${found.length} windows cover ${pixel}. Their evidence ranges from ${withSign(Math.min(...values))} ` +
    `to ${withSign(Math.max(...values))} ${unit}; its mean${sizes.length > 1 ? " over the sizes" : ""} is ${withSign(mean)}.` +
    (isPartial ? " Not all windows were visited: the relevance also includes interpolated evidence." : "")
  );
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function rowOf(window, map, outline) {
  const row = document.createElement("tr");
  const corner = document.createElement("td");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `x ${window.left}–${window.left + window.width - 1}, y ${window.top}–${window.top + window.height - 1}`;
  for (const event of ["focus", "pointerenter"]) button.addEventListener(event, () => outline(window));
  for (const event of ["blur", "pointerleave"]) button.addEventListener(event, () => outline(null));
  corner.append(button);
  const value = document.createElement("td");
  const error = Number.isNaN(window.error) ? "" : ` ± ${three(window.error)}`;
  value.textContent = withSign(window.evidence) + error;
  row.append(corner, value);
  return row;
}

// Where the windows lie, each as one dot at its centre, in the colour of its evidence.
function paintCovering(canvas, map, [y, x], found) {
  const largest = Math.max(1, ...found.map((window) => Math.max(window.height, window.width)));
  canvas.width = canvas.height = largest;
  const context = canvas.getContext("2d");
  const end = Math.max(...found.map((window) => Math.abs(window.evidence)), Number.MIN_VALUE);
  for (const window of found) {
    context.fillStyle = `rgb(${signedColour(window.evidence, end).join(" ")})`;
    const toCentre = (length) => (length + largest) / 2 - 1;
    context.fillRect(Math.round(window.left - x + toCentre(window.width)), Math.round(window.top - y + toCentre(window.height)), 1, 1);
  }
}
