"use strict";
// The windows that cover a pixel, and what each of them said.

const STRONGEST = 8; // in the table

function covering({ corners, evidence, errors, size }, [y, x]) {
  const found = [];
  for (let w = 0; w < corners.length / 2; w++) {
    const [top, left] = [corners[2 * w], corners[2 * w + 1]];
    if (top <= y && y < top + size && left <= x && x < left + size) {
      found.push({ top, left, size, evidence: evidence[w], error: errors[w] });
    }
  }
  return found.sort((a, b) => Math.abs(b.evidence) - Math.abs(a.evidence));
}

// Fill the panel about a pixel; `outline` is told the window that a reader looks at, or null.
async function tellCovering(map, pixel, outline) {
  const found = covering(await windowsOf(map), pixel);
  const unit = unitOf(map);
  document.getElementById("covering-told").textContent = told(found, pixel, unit, explanations[map.explanation].partly);
  document.getElementById("covering-unit").textContent = unit;
  paintCovering(document.getElementById("covering-map"), map, pixel, found);
  const rows = found.slice(0, STRONGEST).map((window) => rowOf(window, map, outline));
  document.getElementById("covering-rows").replaceChildren(...rows);
  document.getElementById("covering").hidden = false;
}

function told(found, [y, x], unit, partly) {
  const place = `pixel x ${x}, y ${y}`;
  if (found.length === 0) return `No window covers ${place}.`;
  const values = found.map((window) => window.evidence);
  if (found.length === 1) return `One window covers ${place}. Its evidence is ${withSign(values[0])} ${unit}.`;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return (
    `${found.length} windows cover ${place}. Their evidence is from ${withSign(Math.min(...values))} ` +
    `to ${withSign(Math.max(...values))} ${unit}, ${withSign(mean)} in the mean.` +
    (partly ? " The relevance counts what lies between these, too: not all windows were visited." : "")
  );
}

function rowOf(window, map, outline) {
  const row = document.createElement("tr");
  const corner = document.createElement("td");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `x ${window.left}–${window.left + window.size - 1}, y ${window.top}–${window.top + window.size - 1}`;
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
  const size = explanations[map.explanation].window;
  canvas.width = canvas.height = size;
  const context = canvas.getContext("2d");
  const end = Math.max(...found.map((window) => Math.abs(window.evidence)), Number.MIN_VALUE);
  for (const window of found) {
    context.fillStyle = `rgb(${signedColour(window.evidence, end).join(" ")})`;
    context.fillRect(window.left - x + size - 1, window.top - y + size - 1, 1, 1);
  }
}
