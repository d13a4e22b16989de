"use strict";
// Small maps side by side; the pixel that is pointed at is marked in all of them.

let tiles = [];

// A small map with its name; as a button it chooses the map.
function tile(mapOf, mode, name, isButton, kind) {
  const box = document.createElement(isButton ? "button" : "div");
  const [canvas, dot, text] = ["canvas", "span", "span"].map((kind) => document.createElement(kind));
  const wrapper = document.createElement("span");
  box.className = "tile";
  wrapper.className = "tile-map";
  canvas.className = "pixels";
  dot.className = "dot";
  canvas.setAttribute("aria-hidden", "true"); // its name stands below it
  wrapper.append(canvas, dot);
  box.append(wrapper, text);
  if (isButton) {
    box.type = "button";
    box.addEventListener("click", () => choose(mapOf()));
  }
  canvas.addEventListener("pointermove", pointAt);
  const point = () => {
    const map = mapOf();
    dot.hidden = !pointer;
    text.textContent = name;
    if (!pointer) return;
    [dot.style.top, dot.style.left] = pointer.map((share) => `${100 * share}%`);
    if (mode === "picture") return;
    const layer = layerOf(map, kind);
    const values = mode === "error" ? layer.error : layer.values;
    if (typeof values === "string") return; // not unpacked yet
    const value = values[indexOf(map)];
    text.textContent += `: ${mode === "error" ? three(value) : asText(value, kind)}`;
  };
  const show = () => {
    const map = mapOf();
    if (isButton) box.setAttribute("aria-pressed", map === current);
    if (typeof layerOf(map, kind).values !== "string") paint(canvas, map, mode === "shown" ? mapMode() : mode, kind);
  };
  return { box, show, point };
}

const mapMode = () => (look.mode === "error" ? "greyed" : look.mode);

async function makeTiles() {
  const currentTiles = [
    tile(() => current, "picture", "picture"),
    ...facts.order.map((kind) => tile(() => current, "alone", kind, false, kind)),
    tile(() => current, "error", "standard error"),
  ];
  one("#current-tiles").append(...currentTiles.map((each) => each.box));
  tiles = currentTiles;
  if (maps.length > 1) {
    const targets = maps.map((map) => map.choices[0]);
    if (explanations.length > 1) one("#all-tiles").style.setProperty("--columns", Math.min(explanations.length, 6));
    const grouped = [...maps].sort((a, b) => targets.indexOf(a.choices[0]) - targets.indexOf(b.choices[0]));
    const others = grouped.map((map) => tile(() => map, "shown", map.name, true));
    one("#all-tiles").append(...others.map((each) => each.box));
    tiles = [...currentTiles, ...others];
    for (const [number, map] of grouped.entries()) {
      await Promise.all([unpackMap(map), unpackPicture(pictureOf(map))]);
      others[number].show();
    }
  }
  for (const each of tiles) {
    each.show();
    each.point();
  }
}
