// Hands what this page knows of its room to the page of the computer that hosts the room now, in another tab: what a
// browser stores belongs to the address that a page came from. It goes from window to window. So nothing of it stands in
// an address, in the history of the browser or on the network, and the browser vouches for who sends and who gets it.

const READY = "lanchat: ready"; // the new page waits
const INSIDE = "lanchat: inside"; // it is in the room
const MAX_DRAFTS = 300;
const MAX_DRAFT = 10000; // characters

// Opens the page at this address in a tab, and gives it what `collect` returns. `gone` is called once it is in the room.
// Returns false if the browser opens no tab.
function handOver(url, collect, gone) {
  const tab = window.open(url);
  if (!tab) return false;
  const { origin } = new URL(url);
  const take = (event) => {
    if (event.source !== tab || event.origin !== origin) return;
    if (event.data === READY) tab.postMessage(collect(), origin);
    if (event.data !== INSIDE) return;
    window.removeEventListener("message", take);
    gone();
  };
  window.addEventListener("message", take);
  return true;
}

// Asks the page that has opened this one, if one has. `take` gets what it hands over, once, with the address that it came
// from, and returns nothing; whether that is a page of the room has to be checked.
function awaitHandOver(take) {
  const { opener } = window;
  if (!opener) return;
  const receive = (event) => {
    if (event.source !== opener) return;
    const handed = readHandOver(event.data);
    if (!handed) return;
    window.removeEventListener("message", receive);
    take({ ...handed, from: event.origin, inside: () => opener.postMessage(INSIDE, event.origin) });
  };
  window.addEventListener("message", receive);
  opener.postMessage(READY, "*"); // whoever that is, it says no more than that a page was loaded
}

// What another page hands over, of which nothing is believed; null if it is none.
function readHandOver(data) {
  const isText = (text, most) => typeof text === "string" && text.length <= most;
  try {
    const { room, memory, unsent, drafts, ticket, kept = [] } = data;
    if (!/^[0-9a-f]{32}$/.test(room) || !isText(memory.nick, 64) || !isText(memory.list, MAX_LINE)) return null;
    if (fromBase64(memory.seed).length !== 32 || fromBase64(memory.owner).length !== 32) return null;
    if (!isText(ticket, 64) || !Array.isArray(unsent) || unsent.length > MAX_UNSENT) return null;
    const messages = unsent.map(({ kind, id, text, action, at, to, nick, key, open, ask }) => {
      const whole = ["say", "tell"].includes(kind) && isText(id, 64) && isText(text, MAX_TEXT);
      if (!whole || (kind === "tell" && !(isText(to, 64) && isText(nick, 64)))) throw new Error("This is no message.");
      if (key !== undefined && !isText(key, 64)) throw new Error("This is no message.");
      const more = kind === "say" ? { action: Boolean(action), at: Number(at) || 0 } : { to, nick, key, open, ask };
      return { kind, id, text, ...more };
    });
    const texts = Object.entries(drafts).slice(0, MAX_DRAFTS);
    if (!texts.every(([to, text]) => isText(to, 64) && isText(text, MAX_DRAFT))) return null;
    const known = { seed: memory.seed, nick: memory.nick, owner: memory.owner, list: memory.list, ahead: Number(memory.ahead) || 0 };
    const told = kept.slice(-MAX_KEPT).filter(({ id, at, by, nick, to, to_nick, text }) => {
      return Number.isInteger(at) && [id, by, to].every((one) => isText(one, 64)) && isText(nick, 256) && isText(to_nick, 256) && isText(text, MAX_TEXT);
    });
    return { room, memory: known, unsent: messages, drafts: Object.fromEntries(texts), ticket, kept: told };
  } catch {
    return null;
  }
}
