"use strict";
// A page that is told of every new map while the analysis runs.

const byId = (id) => document.getElementById(id);
const news = new EventSource("events");
let newest = null; // that was not taken yet: what is drawn slowly leaves out what is older
let taking = begun;

news.onmessage = ({ data }) => {
  if (newest === null) taking = taking.then(takeNewest);
  newest = data;
};
news.onerror = () => {
  news.close();
  if (byId("state").dataset.state !== "done") tellState("done", "The analysis has ended, and its server with it.");
};

async function takeNewest() {
  const told = JSON.parse(newest);
  newest = null;
  await refresh(told);
  byId("share").value = told.share;
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
  byId("state").dataset.state = state;
  byId("state").textContent = STATES[state];
  byId("told").textContent = text;
  byId("pause").textContent = state === "paused" ? "Go on" : "Pause";
  for (const id of ["pause", "stop"]) byId(id).disabled = !["running", "paused"].includes(state);
}

const ask = (wish) => fetch(wish, { method: "POST" });
byId("pause").addEventListener("click", () => ask(byId("state").dataset.state === "paused" ? "go" : "pause"));
byId("stop").addEventListener("click", () => ask("stop"));
