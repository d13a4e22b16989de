"use strict";
// A new map in a live page of pictures.

async function refresh(update) {
  await Promise.all(update.maps.map(unpackMap));
  Object.assign(explanations[0], { corners: update.corners, isPartial: update.isPartial });
  update.maps.forEach((map, number) => Object.assign(maps[number], map));
  showAll();
  if (!one("#covering").hidden) openWindows();
}
