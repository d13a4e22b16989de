"use strict";
/* The list of a report: filters, order, and a hundred results at a time. */

const PER_PAGE = 100;
let listings = [];
let shown = [];
let first = 0;

// Those of which a number is not known come last, whichever way.
function sorted(results, order) {
  if (order === "name") return results;
  const [key, way] = order.split("-");
  const sign = way === "up" ? 1 : -1;
  return [...results].sort((a, b) => {
    const [one, other] = [a[key], b[key]];
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * (one - other);
  });
}

function chosen(name) {
  const element = one(`#${name}`);
  return element ? element.value : "";
}

function select() {
  const text = chosen("search").toLowerCase();
  const [label, group] = [chosen("label"), chosen("group")];
  const found = listings.filter((each) =>
    (!label || each.label === label) && (!group || each.group === group) &&
    (!text || `${each.name} ${each.input}`.toLowerCase().includes(text)));
  shown = sorted(found, chosen("order"));
  first = 0;
  paint();
}

function line(text, kind) {
  const element = document.createElement("div");
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

// Names of files have no spaces: they break after what stands between their words.
function breakable(text) {
  return text.split(/(?<=[-_./:])/).flatMap((part) => [part, document.createElement("wbr")]);
}

function card(each) {
  const item = document.createElement("li");
  const name = document.createElement(each.link ? "a" : "b");
  name.append(...breakable(each.name));
  if (each.link) name.href = each.link;
  if (each.thumbnail) {
    const image = document.createElement("img");
    image.src = each.thumbnail;
    image.alt = "";
    item.append(image);
  }
  item.append(name);
  if (each.label) item.append(line(`${each.label}: ${each.value}`));
  if (each.group) item.append(line(each.group));
  if (each.precision) item.append(line(each.precision));
  if (each.unlike !== null) item.append(line(`unlike the others: ${each.unlike.toFixed(2)}`));
  if (each.note) item.append(line(each.note, "note"));
  return item;
}

function paint() {
  const last = Math.min(first + PER_PAGE, shown.length);
  one("#results").replaceChildren(...shown.slice(first, last).map(card));
  one("#count").textContent = shown.length ? `${first + 1} to ${last} of ${shown.length}` : "none";
  one("#back").disabled = first === 0;
  one("#on").disabled = last === shown.length;
}

for (const name of ["search", "label", "group", "order"]) {
  if (one(`#${name}`)) one(`#${name}`).addEventListener("input", select);
}
one("#back").addEventListener("click", () => { first -= PER_PAGE; paint(); });
one("#on").addEventListener("click", () => { first += PER_PAGE; paint(); });

unzip(one("#listings").textContent).then((bytes) => {
  listings = JSON.parse(new TextDecoder().decode(bytes));
  select();
});
