"use strict";
// A page that gets every new map while the analysis runs, as server-sent events.

const updates = new EventSource("events");
let pending = null; // the newest update that is not shown yet: where drawing is slow, older ones are skipped
let showing = begun;

updates.onmessage = ({ data }) => {
  if (pending === null) showing = showing.then(showPending);
  pending = data;
};
updates.onerror = () => {
  updates.close();
  if (one("#state").dataset.state !== "done") showState("done", "The analysis has ended and its server has stopped.");
};

async function showPending() {
  const update = JSON.parse(pending);
  pending = null;
  await refresh(update);
  one("#share").value = update.share;
  showState(update.state, update.outcome || progressOf(update));
  if (update.state === "done") updates.close();
}

function progressOf({ relativeError, windows, allWindows, seconds, atMost }) {
  const parts = [`${windows.toLocaleString("en")} of ${allWindows.toLocaleString("en")} windows`];
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

function showState(state, text) {
  one("#state").dataset.state = state;
  one("#state").textContent = STATES[state];
  one("#progress-text").textContent = text;
  one("#pause").textContent = state === "paused" ? "Resume" : "Pause";
  for (const id of ["pause", "stop"]) one(`#${id}`).disabled = !["running", "paused"].includes(state);
}

const control = (action) => fetch(action, { method: "POST" });
one("#pause").addEventListener("click", () => control(one("#state").dataset.state === "paused" ? "resume" : "pause"));
one("#stop").addEventListener("click", () => control("stop"));
