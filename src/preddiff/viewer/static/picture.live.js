"use strict";
// A new map in a live page of pictures.

async function refresh(update) {
  await Promise.all(update.maps.map(unpackMap));
  const { corners, lengths, isPartial } = update;
  Object.assign(explanations[0], { corners, lengths, isPartial });
  update.maps.forEach((map, number) => Object.assign(maps[number], map));
  showAll();
  if (!one("#covering").hidden) openWindows();
}
