"use strict";
/* The view as a PNG with its colour bar and a legend. */

const MARGIN = 12;
const LINE = 22;
const FONT = "15px system-ui, sans-serif";

function drawn() {
  const picture = document.createElement("canvas");
  const context = picture.getContext("2d");
  picture.width = Math.max(canvas.width, 640);
  context.font = FONT;
  const legend = legendOf().flatMap((line) => wrapped(context, line, picture.width - 2 * MARGIN));
  picture.height = canvas.height + LINE * (legend.length + 2) + 2 * MARGIN;
  context.fillStyle = "#fff";
  context.fillRect(0, 0, picture.width, picture.height);
  context.fillStyle = "#000"; // behind the view, as in the page, where the view is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  renderer.redraw(); // in this task: WebGL discards its picture once it has been shown
  context.drawImage(canvas, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(one("#bar"), MARGIN, canvas.height + MARGIN, picture.width - 2 * MARGIN, LINE);
  context.fillStyle = "#1c1c1c";
  context.font = FONT; // which a new height has reset
  context.textBaseline = "top";
  const top = canvas.height + MARGIN + LINE + 4;
  context.fillText(one("#against").textContent, MARGIN, top);
  legend.forEach((line, n) => context.fillText(line, MARGIN, top + LINE * (n + 1)));
  context.textAlign = "right";
  context.fillText(one("#for").textContent, picture.width - MARGIN, top);
  return picture;
}

/** A line as several that are no wider than a picture. */
function wrapped(context, line, width) {
  return line.split(" ").reduce((lines, word) => {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    return lines.length && context.measureText(longer).width <= width
      ? [...lines.slice(0, -1), longer]
      : [...lines, word];
  }, []);
}

function save() {
  drawn().toBlob((png) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(png);
    link.download = `${state.kind}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

// Printers find a canvas of WebGL empty: what it shows is printed as a picture.
addEventListener("beforeprint", () => {
  if (renderer && one(".still img")) one(".still img").src = drawn().toDataURL();
});

function legendOf() {
  const { name } = explanation();
  return [
    `Not for diagnosis. ${kindName()} for ${target().label}, ${facts.choice.toLowerCase()} ${name}, above ${one("#threshold-value").textContent}`,
    `Crosshair at ${one("#position").textContent}: ${one("#value").textContent}. ${one("#sides").textContent}`,
  ];
}
