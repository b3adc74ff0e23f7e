// What lets the page follow the room to another computer: where it may be, and which of its numbers we have.

const TRIES = 2; // of the host that was lost, before other computers are asked
const MAX_PLACES = 8; // computers
const MAX_ADDRESSES = 4; // of one
const N_RANGE = 2 ** 32; // seq = epoch * N_RANGE + n; the low six bits of an epoch are the index of its host
const MAX_POSITIONS = 128; // terms
const MAX_OWN = 1000; // messages of ours that a host has acknowledged

function epochOf(seq) {
  return Math.floor(seq / N_RANGE);
}

// What the log of a host consists of: earlier terms with their last n, and its own term, which goes on.
class Timeline {
  constructor(epoch, past) {
    this.epoch = epoch;
    this.past = past;
  }

  // That of the record on a card; null if there is none. Who has signed it was checked before.
  static of(card) {
    if (!card.term) return null;
    const { epoch, past } = termFields(paperFields(fromBase64(card.term)));
    return new Timeline(epoch, past);
  }

  // Whether this number is in the log, or can still come in the term that goes on.
  covers(seq) {
    const [epoch, n] = [epochOf(seq), seq % N_RANGE];
    return epoch === this.epoch || this.past.some(([theirs, last]) => theirs === epoch && n <= last);
  }
}

// Which events we have: of each term the last n, with no hole before it.
class Positions {
  constructor() {
    this.seq = -1; // of the last event
    this.known = new Map();
  }

  // The number after which events are missing here, for a host with this timeline.
  common(timeline) {
    if (!timeline || this.seq < 0) return this.seq;
    const [oldest] = timeline.past[0] || [0];
    if (!this.known.size || (timeline.past.length === 64 && !this.known.has(oldest))) return -1;
    for (const [epoch, last] of timeline.past) {
      const mine = this.known.get(epoch);
      if (mine !== last) return epoch * N_RANGE + Math.min(mine || 0, last);
    }
    return timeline.epoch * N_RANGE + (this.known.get(timeline.epoch) || 0);
  }

  set(seq) {
    this.seq = seq;
    for (const epoch of [...this.known.keys()]) if (epoch >= epochOf(seq)) this.known.delete(epoch);
    if (seq >= 0) this.known.set(epochOf(seq), seq % N_RANGE);
  }

  // An event has come. The first of a term says that every earlier term is complete.
  advance(seq, timeline) {
    const epoch = epochOf(seq);
    if (!this.known.has(epoch) && timeline) {
      for (const [past, n] of timeline.past) if (past < epoch) this.known.set(past, n);
    }
    this.known.set(epoch, seq % N_RANGE);
    if (this.known.size > MAX_POSITIONS) this.known.delete(Math.min(...this.known.keys()));
    this.seq = seq;
  }
}

// Whether this is a name or an address with a port, so that a WebSocket can be made for it.
function isHost(text) {
  try {
    return typeof text === "string" && /^[\w.:[\]-]{1,128}$/.test(text) && new URL(`//${text}/`, location.href).host !== "";
  } catch {
    return false;
  }
}

// Whom to call: the computer that hosts the room, and after it is lost those that it has named.
class Whereabouts {
  // `host`: the address and port from which the page was loaded.
  constructor(host, secure) {
    this.schemes = secure ? ["wss", "https"] : ["ws", "http"];
    this.home = this.target(host, null, -1);
    this.host = this.now = this.home; // who has admitted us last, and who is called now
    this.places = [];
    this.waiting = []; // who is called next
    this.failures = 0; // since the host was lost
  }

  target(host, key, index) {
    const [socket, page] = this.schemes;
    return { url: `${socket}://${host}/ws`, page: `${page}://${host}/`, key, index };
  }

  // The host has told where the room may be. Throws if it has not.
  learn(text) {
    const places = JSON.parse(text);
    if (!Array.isArray(places) || places.length > MAX_PLACES) throw new Error("The list of places cannot be read.");
    this.places = places.flatMap(({ index, key, web, nick }) => {
      const raw = fromBase64(key);
      if (!Number.isInteger(index) || raw.length !== 32) throw new Error("The list of places cannot be read.");
      const hosts = (Array.isArray(web) ? web : []).filter((host) => isHost(host));
      return hosts.slice(0, MAX_ADDRESSES).map((host) => ({ ...this.target(host, raw, index), nick }));
    });
  }

  // Whether the room has a page at this address, as a browser names it.
  has(origin) {
    try {
      const { host } = new URL(origin);
      return this.places.some((place) => new URL(place.page).host === host);
    } catch {
      return false; // a page without an address says "null"
    }
  }

  get others() {
    return this.places.filter((place) => place.url !== this.host.url && place.index !== this.host.index);
  }

  // Whether this person's computer, too, has a page of the room: then it is called next, and after it the others.
  turnTo(nick) {
    const place = this.others.find((one) => one.nick === nick);
    return Boolean(place) && this.moved(place.index);
  }

  // The page of this member's computer; "": nobody knows one.
  pageOf(id) {
    const place = this.places.find((one) => memberId(one.key) === id);
    return place ? place.page : "";
  }

  // The room is hosted elsewhere now. Returns false if no page can be there.
  moved(index) {
    this.failures = TRIES;
    this.waiting = this.round().sort((one, other) => (other.index === index) - (one.index === index));
    return this.next();
  }

  // The host is connected and does not answer: it was asked already.
  silent() {
    this.failures = TRIES - 1;
  }

  // Nobody has admitted us there. Returns whether somebody else is to be called at once.
  failed() {
    this.failures += 1;
    if (this.failures < TRIES) return false;
    if (this.next()) return true;
    this.waiting = this.round();
    this.next();
    return false;
  }

  round() {
    return [...this.others, ...(this.home === this.host ? [] : [this.home]), this.host].filter((one) => one !== this.now);
  }

  next() {
    const next = this.waiting.shift();
    if (next) this.now = next;
    return Boolean(next);
  }

  admitted() {
    this.host = this.now;
    this.waiting = [];
    this.failures = 0;
  }
}

// Our own messages that a host has acknowledged, because another one may lack them.
class OwnLines {
  constructor() {
    this.held = new Map(); // by id, oldest first
  }

  keep(message) {
    this.held.delete(message.id);
    this.held.set(message.id, message);
    if (this.held.size > MAX_OWN) this.held.delete(this.held.keys().next().value);
  }

  heard(said) {
    const message = this.held.get(said.id);
    if (message) message.seq = said.seq;
  }

  // Those that are not in this host's log. They have to be said again.
  take(timeline) {
    const lacking = timeline ? [...this.held.values()].filter((message) => !timeline.covers(message.seq)) : [];
    for (const message of lacking) this.held.delete(message.id);
    return lacking;
  }
}
