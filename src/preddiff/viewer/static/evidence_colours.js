"use strict";
/* Words for evidence for and against: the page calls them by their colours in the chosen palette. */

const STRONG = { for: 230, against: 25 }; // colours of a scale of 256 that are strong on either side

/** Write the palette's words for both sides, each with a swatch; `colourOf` gives the red, green and
    blue of a step of the scale. */
function nameEvidenceColours(palette, colourOf) {
  for (const [side, step] of Object.entries(STRONG)) {
    for (const word of all(`.${side}`)) {
      word.textContent = palette[side];
      word.style.setProperty("--swatch", `rgb(${[...colourOf(step)].join(" ")})`);
    }
  }
}
