// What the page keeps in this browser, and what of it are private messages.

const KEPT_NAME = "lanchat private"; // begins the names of private messages
const MAX_KEPT = 200; // private messages of all rooms at this address: some days of them
const MAX_KEPT_SIZE = 256 * 1024; // characters of those; browsers give an address some 5 million for everything
const byNumbers = new Intl.Collator("en", { numeric: true }); // "2" comes before "10"

// A browser may refuse to keep anything, or be full. What it does not take is kept until the page is closed.
class Storage {
  constructor(where) {
    this.where = where;
    this.memory = new Map();
  }

  get(name) {
    try {
      return JSON.parse(this.text(name));
    } catch {
      return null;
    }
  }

  // Characters that this takes.
  size(name) {
    try {
      return name.length + this.text(name).length;
    } catch {
      return name.length;
    }
  }

  text(name) {
    return this.memory.has(name) ? this.memory.get(name) : this.where().getItem(name);
  }

  set(name, value) {
    this.memory.delete(name);
    try {
      if (value === null) this.where().removeItem(name);
      else this.where().setItem(name, JSON.stringify(value));
    } catch {
      if (value !== null) this.memory.set(name, JSON.stringify(value));
    }
  }

  // The names that begin so.
  names(prefix) {
    const found = new Set(this.memory.keys());
    try {
      for (const name of Object.keys(this.where())) found.add(name);
    } catch {
      // only what is in memory
    }
    return [...found].filter((name) => name.startsWith(prefix));
  }
}

// The private messages of a room that were shown here: the host has forgotten them. Each has an entry of its own in the
// store, so that two tabs never write over what the other one has added, and the same message is there once. Its name
// begins with its time, because the oldest go first.
class PrivateHistory {
  constructor(store, room) {
    this.store = store;
    this.room = room;
  }

  // All of this room, oldest first.
  get all() {
    const kept = this.names.filter((name) => name.split(" ")[3] === this.room).map((name) => this.store.get(name));
    return kept.filter((told) => told && typeof told.by === "string" && Number.isFinite(told.at));
  }

  get names() {
    return this.store.names(`${KEPT_NAME} `).sort(byNumbers.compare);
  }

  keep({ id, at, by, nick, to, to_nick, text, own, open }) {
    if (!Number.isFinite(at)) return; // it has no place among the others
    this.store.set(`${KEPT_NAME} ${at} ${this.room} ${by} ${id}`, { id, at, by, nick, to, to_nick, text, own, open });
    let [number, size] = [0, 0];
    for (const name of this.names.reverse()) {
      number += 1;
      size += this.store.size(name);
      if (number > MAX_KEPT || size > MAX_KEPT_SIZE) this.store.set(name, null);
    }
  }
}
