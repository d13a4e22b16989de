"use strict";
/* A new map in a live page of volumes. */

async function refresh({ targets }) {
  const unpackedLayer = async ({ end, map, error }) =>
    ({ end, map: read(await unzip(map)), error: error === EXACT ? EXACT : read(await unzip(error)) });
  await Promise.all(targets.map(async ({ layers }, number) => {
    for (const [kind, packed] of Object.entries(layers)) layers[kind] = await unpackedLayer(packed);
    explanation().targets[number].layers = layers;
  }));
  await change({ updates: (state.updates ?? 0) + 1 });
}
