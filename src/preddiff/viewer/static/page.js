"use strict";
const all = (selector) => [...document.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);

function showTarget() {
  const chosen = one("input[name=target]:checked").value;
  for (const element of all("[data-target]")) element.hidden = element.dataset.target !== chosen;
}

function showOpacity() {
  const strength = one("#opacity").value;
  for (const image of all(".overlay")) image.style.opacity = strength / 100;
  one("#opacity-value").textContent = strength + " %";
}

function showPicture() {
  one("#colour").hidden = one("#greyed").checked;
  one("#grey").hidden = !one("#greyed").checked;
}

for (const radio of all("input[name=target]")) radio.addEventListener("change", showTarget);
one("#opacity").addEventListener("input", showOpacity);
one("#greyed").addEventListener("change", showPicture);
showTarget();
showOpacity();
showPicture();
document.body.dataset.ready = "yes";
