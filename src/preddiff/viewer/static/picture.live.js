"use strict";
// A page that is told of every new map while the analysis runs.

const news = new EventSource("events");
let last = begun; // news are taken one after the other

news.onmessage = (event) => (last = last.then(() => take(JSON.parse(event.data))));
news.onerror = () => {
  news.close();
  if (one("state").dataset.state !== "done") tellState("done", "The analysis has ended, and its server with it.");
};

async function take(told) {
  const [corners, ...fresh] = await Promise.all([told.corners, ...told.maps.map(unpackMap)]);
  explanations[0].corners = corners;
  fresh.forEach((map, number) => Object.assign(maps[number], map));
  showAll();
  if (!one("covering").hidden) openWindows();
  one("share").value = told.share;
  tellState(told.state, told.told || progressOf(told));
  if (told.state === "done") news.close();
}

function progressOf({ relativeError, windows, of, seconds, atMost }) {
  const parts = [`${windows.toLocaleString("en")} of ${of.toLocaleString("en")} windows`];
  const percent = relativeError === null ? "not known yet" : `${Number((100 * relativeError).toPrecision(2))} %`;
  parts.push(`relative error ${percent}`);
  if (seconds !== null) parts.push(`${atMost ? "at most" : "about"} ${duration(seconds)} left`);
  return parts.join(", ");
}

function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const STATES = {
  running: "Running",
  paused: "Paused",
  stopping: "Stopping after this batch of windows",
  done: "Finished",
};

function tellState(state, text) {
  one("state").dataset.state = state;
  one("state").textContent = STATES[state];
  one("told").textContent = text;
  one("pause").textContent = state === "paused" ? "Go on" : "Pause";
  for (const id of ["pause", "stop"]) one(id).disabled = !["running", "paused"].includes(state);
}

const ask = (wish) => fetch(wish, { method: "POST" });
one("pause").addEventListener("click", () => ask(one("state").dataset.state === "paused" ? "go" : "pause"));
one("stop").addEventListener("click", () => ask("stop"));
