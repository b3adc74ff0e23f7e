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

// The size in at most three digits, in units of 1,024 as programs show it.
function sizeText(bytes) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let unit = 0;
  for (; bytes >= 999.5 && unit < units.length - 1; unit += 1) bytes /= 1024;
  const digits = bytes > 0 && bytes < 9.95 && unit ? bytes.toFixed(1).replace(/\.0$/, "") : bytes.toFixed(0);
  return `${digits} ${digits === "1" && !unit ? "byte" : units[unit]}`;
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
