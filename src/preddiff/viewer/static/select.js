"use strict";
/* The elements of the page, by CSS selectors; what scripts replace, and what paper needs. */

document.documentElement.dataset.scripted = "yes"; // hides what stands in for the scripts' work

const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];

// Show what is said of one explanation and one of its targets, and nothing of the others.
function showOnly(explanation, target) {
  for (const element of all("[data-explanation]")) {
    const { explanation: own, target: ownTarget = target } = element.dataset;
    element.hidden = Number(own) !== explanation || Number(ownTarget) !== target;
  }
}

// Paper has no folds to open: all are open on it, and as they were afterwards.
let folded = [];
addEventListener("beforeprint", () => {
  folded = all("details:not([open])");
  for (const fold of folded) fold.open = true;
});
addEventListener("afterprint", () => {
  for (const fold of folded) fold.open = false;
});
