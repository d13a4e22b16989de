"use strict";
/* The animation: through the slices or the explanations, or around the rendering. Each step is drawn
   before the next begins, so that a slow machine plays slowly but never hangs. */

const STEPS = {
  sagittal: () => ({ voxel: stepped(0, 1, true) }),
  coronal: () => ({ voxel: stepped(1, 1, true) }),
  axial: () => ({ voxel: stepped(2, 1, true) }),
  explanations: () => ({ explanation: (state.explanation + 1) % facts.explanations.length }),
  turn: () => ({ azimuth: (state.azimuth + 6) % 360 }),
};

let playing = null; // a new object each time it starts, so that an earlier loop ends

const pause = (milliseconds) => new Promise((resume) => setTimeout(resume, milliseconds));

async function play() {
  const mine = (playing = playing ? null : {});
  one("#play").textContent = playing ? "Pause" : "Play";
  one("#readout").setAttribute("aria-live", playing ? "off" : "polite"); // too fast to be read out
  while (mine && playing === mine) {
    await Promise.all([change(STEPS[one("#along").value]()), pause(1000 / one("#speed").value)]);
  }
}
