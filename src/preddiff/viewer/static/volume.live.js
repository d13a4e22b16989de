"use strict";
/* A new map in a live page of volumes. */

async function refresh({ targets }) {
  const fresh = await Promise.all(targets.map(async ({ end, map, error }) =>
    ({ end, map: read(await unzip(map)), error: error === EXACT ? EXACT : read(await unzip(error)) })));
  fresh.forEach((target, number) => Object.assign(explanation().targets[number], target));
  await change({ updates: (state.updates ?? 0) + 1 });
}
