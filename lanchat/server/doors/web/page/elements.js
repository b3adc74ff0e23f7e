// What all parts of the page show with: elements, and texts from the network made safe.

const find = (id) => document.getElementById(id);

// A new element. `content` is a text, which is set as text, or a list of elements.
function make(tag, className, content, attributes = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (Array.isArray(content)) element.append(...content.filter(Boolean));
  else if (content) element.textContent = content;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function counted(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

function shownNick(id, nick) {
  return (id.startsWith("~") ? "~" : "") + safeNick(nick);
}

function sizeText(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  for (const unit of ["kB", "MB", "GB"]) {
    bytes /= 1000;
    if (bytes < 999.5) return `${bytes < 9.95 ? bytes.toFixed(1) : Math.round(bytes)} ${unit}`;
  }
  return `${Math.round(bytes / 1000)} TB`;
}

function leftText(who, code, reason) {
  const words = {
    "": "left",
    lost: "disconnected",
    silent: "lost the connection",
    slow: "left (could not keep up)",
    rules: "left (their program broke the rules of the room)",
    kicked: "was removed",
    banned: "was banned",
  };
  return code in words ? `${who} ${words[code]}` : `${who} left (${safeText(reason || code).replace(/\.$/, "")})`;
}

// A text as people wrote it, in which what stands between backticks is code.
function textBox(text, className, title = "") {
  const box = make("div", className, "", { dir: "auto", title });
  safeLines(text)
    .split(/(```[^]+?```\n?|`[^`\n]+`)/)
    .forEach((part, at) => {
      if (at % 2 === 0) return box.append(part);
      if (!part.startsWith("```")) return box.append(make("code", "", part.slice(1, -1), { dir: "ltr" }));
      const inside = part.trimEnd().slice(3, -3).replace(/^[\w+.#-]*\n/, "").replace(/\n$/, "");
      box.append(make("code", "block", inside, { dir: "ltr" }));
    });
  return box;
}
