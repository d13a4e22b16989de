"use strict";
// The view as a PNG with its title, its colour bar and its settings.

const PAGE = { side: 900, margin: 24, line: 30, bar: 22 };

function savePicture(view, map, caption) {
  const scale = Math.max(1, Math.round(PAGE.side / view.width));
  const [width, height] = [view.width * scale, view.height * scale];
  const canvas = document.createElement("canvas");
  canvas.width = width + 2 * PAGE.margin;
  canvas.height = height + 2 * PAGE.margin + PAGE.bar + 4 * PAGE.line;
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  const left = PAGE.margin;
  let top = PAGE.margin;
  context.fillStyle = "black";
  context.textBaseline = "top";
  context.font = "600 22px system-ui, sans-serif";
  context.fillText(caption.title, left, top, width);
  top += PAGE.line + 6;
  context.drawImage(view, left, top, width, height);
  top += height + 12;
  context.drawImage(one("#bar"), left, top, width, PAGE.bar);
  context.strokeStyle = "black";
  context.strokeRect(left + 0.5, top + 0.5, width - 1, PAGE.bar - 1);
  top += PAGE.bar + 6;
  context.font = "18px system-ui, sans-serif";
  for (const [align, text] of [["left", caption.low], ["center", caption.middle], ["right", caption.high]]) {
    context.textAlign = align;
    context.fillText(text, left + { left: 0, center: width / 2, right: width }[align], top);
  }
  context.textAlign = "left";
  context.font = "15px system-ui, sans-serif";
  context.fillText(caption.foot, left, top + PAGE.line, width);
  download(canvas, caption.file);
}

function download(canvas, name) {
  canvas.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
