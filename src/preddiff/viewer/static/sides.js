"use strict";
/* Evidence for and against is called by the colours that it has. */

const STRONG = { for: 230, against: 25 }; // which of a scale's 256 colours stand for the sides

/** Name both sides as a palette does; `colourOf` gives the red, green and blue of a step. */
function nameSides(palette, colourOf) {
  for (const [side, step] of Object.entries(STRONG)) {
    for (const word of document.querySelectorAll(`.${side}`)) {
      word.textContent = palette[side];
      word.style.setProperty("--swatch", `rgb(${[...colourOf(step)].join(" ")})`);
    }
  }
}
