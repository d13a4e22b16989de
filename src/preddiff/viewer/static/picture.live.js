"use strict";
// A new map in a live page of pictures.

async function refresh(update) {
  const [corners, ...fresh] = await Promise.all([update.corners, ...update.maps.map(unpackMap)]);
  Object.assign(explanations[0], { corners, isPartial: update.isPartial });
  fresh.forEach((map, number) => Object.assign(maps[number], map));
  showAll();
  if (!one("#covering").hidden) openWindows();
}
