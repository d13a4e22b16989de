"use strict";
// How a page of pictures takes a new map.

async function refresh(told) {
  const [corners, ...fresh] = await Promise.all([told.corners, ...told.maps.map(unpackMap)]);
  Object.assign(explanations[0], { corners, partly: told.partly });
  fresh.forEach((map, number) => Object.assign(maps[number], map));
  showAll();
  if (!one("covering").hidden) openWindows();
}
