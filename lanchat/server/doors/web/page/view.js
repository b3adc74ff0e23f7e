// What the page shows. Texts from the network come in by `textContent` only, and made safe before.

const MAX_ROWS = 1000; // messages in the page
const MAX_SHOWN_PEOPLE = 200;
const TOGETHER = 5 * 60 * 1000; // ms between two messages that stand under one nick
const MANY = 5; // rows at once, which a screen reader hears as a number
const NEAR_END = 60; // px from the end of the log, where it follows

const timeFormat = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long" });
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
    kicked: "was removed",
    banned: "was banned",
  };
  return code in words ? `${who} ${words[code]}` : `${who} left (${safeText(reason || code).replace(/\.$/, "")})`;
}

// The messages: rows are made when the browser paints next, however many came.
class Log {
  constructor() {
    this.box = find("log");
    this.lines = find("lines");
    this.waiting = find("waiting");
    this.newer = find("newer");
    this.pending = []; // functions that make a row each, or null
    this.scheduled = false;
    this.last = { by: "", at: 0, day: "" };
    this.unseen = 0; // rows below what is in view
    this.follows = true;
    this.box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.newer.addEventListener("click", () => this.toEnd());
    if (window.ResizeObserver) new ResizeObserver(() => this.follows && this.toEnd()).observe(this.box);
  }

  // Adds what `paint` returns: a row, or null. It is called in the order of the calls.
  add(paint, counts = true) {
    this.pending.push({ paint, counts });
    if (document.hidden && this.pending.length > 2 * MAX_ROWS) this.pending.splice(0, MAX_ROWS);
    if (this.scheduled) return;
    this.scheduled = true;
    if (document.hidden) setTimeout(() => this.flush(), 200);
    else requestAnimationFrame(() => this.flush());
  }

  flush() {
    this.scheduled = false;
    const pending = this.pending.splice(0).slice(-2 * MAX_ROWS);
    const rows = document.createDocumentFragment();
    let number = 0;
    const follows = this.follows;
    for (const { paint, counts } of pending) {
      const row = paint();
      if (!row) continue;
      rows.append(row);
      if (counts) number += 1;
    }
    if (number > MANY) {
      this.box.setAttribute("aria-busy", "true");
      announce(`${number} new messages`);
    }
    this.lines.append(rows);
    find("empty").hidden = this.lines.childElementCount > 0 || this.waiting.childElementCount > 0;
    if (follows) {
      while (this.lines.childElementCount > MAX_ROWS) this.lines.firstElementChild.remove();
      this.toEnd();
    } else if (number) {
      this.unseen += number;
      this.newer.textContent = counted(this.unseen, "new message");
      this.newer.hidden = false;
    }
    if (number > MANY) setTimeout(() => this.box.removeAttribute("aria-busy"), 1000);
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
    this.follows = true;
    this.unseen = 0;
    this.newer.hidden = true;
  }

  scrolled() {
    this.follows = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < NEAR_END;
    if (!this.follows || !this.unseen) return;
    this.unseen = 0;
    this.newer.hidden = true;
  }

  // A row for a message. `more` may hold tag, unseen, className, problem.
  message(by, nick, at, text, more = {}) {
    const date = new Date(at);
    const together = this.last.by === `${by} ${nick} ${more.className || ""}` && at - this.last.at < TOGETHER;
    const day = this.day(date);
    const row = make("div", `message ${more.className || ""}`);
    if (more.unseen) row.append(make("span", "unseen", more.unseen));
    if (day || !together) {
      const time = make("time", "", timeFormat.format(date), { datetime: date.toISOString() });
      const name = make("bdi", "nick", shownNick(by, nick));
      row.append(make("div", "head", [name, more.tag && make("span", "tag", more.tag), time]));
      row.classList.add("first");
    } else if (this.lastRow) {
      this.lastRow.classList.remove("last");
    }
    row.classList.add("last");
    row.append(make("div", more.problem ? "text problem" : "text", safeLines(text), { dir: "auto", title: timeFormat.format(date) }));
    this.last = { ...this.last, by: `${by} ${nick} ${more.className || ""}`, at };
    this.lastRow = row;
    if (!day) return row;
    const both = document.createDocumentFragment();
    both.append(day, row);
    return both;
  }

  // The line of a new day; null if it is the same day.
  day(date) {
    const name = date.toDateString();
    if (name === this.last.day) return null;
    const first = this.last.day === "";
    this.last = { by: "", at: 0, day: name };
    if (first && name === new Date().toDateString()) return null;
    return make("div", "day", dayFormat.format(date));
  }

  // What happened in the room. Such lines that follow each other stand in one paragraph.
  note(text, important = false) {
    const end = this.lastNote;
    this.last.by = "";
    if (end && !important && end.isConnected && end === this.lines.lastElementChild && end.textContent.length < 160) {
      end.textContent += ` · ${text}`;
      return null;
    }
    const row = make("p", important ? "note important" : "note", text);
    this.lastNote = important ? null : row;
    return row;
  }
}

function announce(text) {
  find("announce").textContent = text;
}

// The whole page; the methods that `Room` calls, and those of the persons who use it.
class View {
  constructor() {
    this.log = new Log();
    this.rows = new Map(); // messages that wait, by id
    this.to = null; // the person to whom the composer writes; null: everyone
    this.unread = 0;
    this.busyUntil = 0;
    this.actions = {}; // what the page calls for what people do
    this.wire();
  }

  // ---- what the room tells

  opened(card, nick) {
    find("door-title").textContent = safeText(card.title);
    find("door-about").textContent = `${safeNick(card.host)} hosts this room. ${counted(card.people, "person is", "people are")} here.`;
    this.setTitle(card.title);
    this.showDoor();
    find("join").hidden = false;
    if (!find("nick").value) find("nick").value = nick;
    find("nick").focus();
  }

  joined(again) {
    find("door").hidden = true;
    find("room").hidden = false;
    find("title").textContent = safeText(this.room.title);
    this.state(`You are ${safeNick(this.room.me.nick)}`);
    this.hideBar();
    if (!again) find("text").focus();
  }

  refused(code, text, suggestion = "") {
    const words = {
      password: "This room has a password, and web pages never ask for it. Ask the host for a guest link (the host types /web).",
      ticket: "This guest link is no longer valid. Ask the host for a new one.",
    };
    this.showDoor();
    find("door-error").textContent = words[code] || safeText(text);
    if (code === "nick" && suggestion) {
      find("door-error").textContent += ` ${safeNick(suggestion)} is free.`;
      find("nick").value = suggestion;
    }
    const retry = code === "nick" || code === "rules";
    find("join").hidden = !retry;
    find("again").hidden = retry || code === "password" || code === "ticket";
    if (retry) find("nick").focus();
  }

  closed(code, text) {
    this.state("Not connected");
    this.showBar(safeText(text), true);
  }

  disconnected(why, since) {
    if (why === "impostor") {
      const words = "A different computer answers at this address. Nothing was sent to it. Ask the host.";
      if (this.room.admitted) return this.showBar(words, true);
      this.showDoor();
      find("door-error").textContent = words;
      return;
    }
    const long = Date.now() - since > 60000;
    const words = long ? "Still no connection. Same Wi-Fi? Turn mobile data off?" : "Connection lost. Reconnecting ...";
    if (this.room.admitted) {
      this.state("Not connected");
      return this.showBar(words, long);
    }
    this.showDoor();
    find("door-about").textContent = long ? words : "The room does not answer. Trying again ...";
  }

  alive() {}

  people() {
    const people = [...this.room.people.values()];
    people.sort((one, other) => other.host - one.host || one.nick.localeCompare(other.nick));
    find("people-button").textContent = counted(people.length, "person", "people");
    for (const list of document.querySelectorAll("ul.people")) {
      const shown = people.slice(0, MAX_SHOWN_PEOPLE).map((person) => this.personRow(person));
      const more = people.length - MAX_SHOWN_PEOPLE;
      list.replaceChildren(...shown, ...(more > 0 ? [make("li", "more", `and ${more} more`)] : []));
    }
  }

  said(said, past, own) {
    const waited = own && this.rows.get(said.id);
    this.log.add(() => {
      if (waited) this.settle(said.id);
      const className = `${own ? "own" : ""} ${said.action ? "action" : ""}`.trim();
      const text = said.action ? `${shownNick(said.by, said.nick)} ${said.text}` : said.text;
      return this.log.message(said.by, said.nick, said.at, text, { className });
    });
    if (!past && !own) this.call();
  }

  told(told) {
    this.log.add(() => {
      if (told.own) this.settle(told.id);
      const other = told.own ? shownNick(told.to, told.to_nick) : shownNick(told.by, told.nick);
      const whose = told.own ? `Your private message to ${other}` : `A private message from ${other}`;
      const open = told.open ? ", not sealed" : "";
      const row = this.log.message(
        told.by,
        told.nick,
        told.at,
        told.problem ? `${whose} could not be opened (${told.problem}).` : told.text,
        {
          className: told.own ? `own private to-${told.to}` : "private",
          tag: told.own ? `to ${other} only${open}` : `to you only${open}`,
          unseen: told.own ? `Private to ${other}: ` : `Private from ${other}: `,
          problem: told.problem,
        },
      );
      if (!told.own) this.whenSeen(() => this.room.confirm(told.by, told.id));
      return row;
    });
    if (!told.own) this.call();
  }

  happened(event, past) {
    const words = this.eventText(event);
    if (!words || (past && event.t !== "file_offered" && event.t !== "moved")) return;
    this.log.add(() => this.log.note(words), false);
    if (event.by === this.room.me.id && event.t === "renamed") this.state(`You are ${safeNick(this.room.me.nick)}`);
  }

  eventText(event) {
    const who = shownNick(event.by, event.nick);
    switch (event.t) {
      case "joined":
        return event.by === this.room.me.id ? "" : `${who} joined`;
      case "left":
        return leftText(who, event.code || "", event.reason || "");
      case "renamed":
        return `${who} is now ${shownNick(event.by, event.to)}`;
      case "moved":
        return `${who} hosts the room now`;
      case "file_offered":
        return `${who} sends a file: ${safeText(event.name)} (${sizeText(event.size)})`;
      default:
        return "";
    }
  }

  notice(code, text) {
    const host = [...this.room.people.values()].find((person) => person.host);
    const words = code === "key" || !host ? text : `${safeNick(host.nick)} (host): ${text}`;
    this.log.add(() => this.log.note(safeText(words), code !== "stored"), false);
  }

  // A message of ours waits for the host.
  waiting(message) {
    const text = message.action ? `${safeNick(this.room.me.nick)} ${message.text}` : message.text;
    const tag = message.kind === "tell" ? `to ${safeNick(message.nick)} only, waiting` : "waiting";
    const row = make("div", "message waiting", [make("div", "text", safeLines(text), { dir: "auto" }), make("span", "tag", tag)]);
    this.rows.set(message.id, row);
    // Most are back within milliseconds, and are never seen to wait.
    setTimeout(() => {
      if (this.rows.get(message.id) !== row) return;
      this.log.waiting.append(row);
      find("empty").hidden = true;
      if (this.log.follows) this.log.toEnd();
    }, 300);
  }

  heard() {}

  gone(id) {
    this.settle(id);
  }

  settle(id) {
    const row = this.rows.get(id);
    if (row) row.remove();
    this.rows.delete(id);
  }

  receipt(message, code, text) {
    this.settle(message.id);
    if (code === "refused") {
      this.log.add(() => this.log.note(`Not sent to ${safeNick(message.nick)}: ${safeText(text)}`, true), false);
    } else if (code === "away") {
      this.log.add(() => this.log.note(`${safeNick(message.nick)} is away and gets it on returning.`), false);
    }
  }

  // ---- parts of the page

  showDoor() {
    find("room").hidden = true;
    find("door").hidden = false;
    find("door-error").textContent = "";
    find("again").hidden = true;
  }

  state(text) {
    find("state").textContent = text;
  }

  showBar(text, button) {
    find("bar").hidden = false;
    if (find("bar-text").textContent !== text) find("bar-text").textContent = text;
    find("bar-button").hidden = !button;
  }

  hideBar() {
    find("bar").hidden = true;
    find("bar-text").textContent = "";
  }

  setTitle(title) {
    if (title !== undefined) this.title = safeText(title);
    document.title = this.unread ? `(${this.unread}) ${this.title}` : this.title;
  }

  call() {
    if (!document.hidden) return;
    this.unread += 1;
    this.setTitle();
  }

  whenSeen(act) {
    if (!document.hidden) return act();
    document.addEventListener("visibilitychange", act, { once: true });
  }

  personRow(person) {
    const { id, nick, host, web } = person;
    const marks = [host && "host", web && "web", id === this.room.me.id && "you"].filter(Boolean).join(", ");
    const button = make("button", "", [
      make("bdi", "nick", shownNick(id, nick)),
      make("span", "digits", id.startsWith("~") ? "" : `·${id.slice(0, 4)}`),
      marks && make("span", "marks", marks),
    ]);
    button.type = "button";
    button.addEventListener("click", () => this.showPerson(person));
    return make("li", "", [button]);
  }

  showPerson(person) {
    const { id, nick, host } = person;
    const me = id === this.room.me.id;
    find("person-nick").textContent = shownNick(id, nick);
    const print = this.room.fingerprint(id);
    find("person-about").textContent = [host && "Hosts this room.", me && "This is you."].filter(Boolean).join(" ");
    find("person-key").textContent = print ? grouped(print) : "";
    find("person-hint").textContent = print
      ? "The fingerprint of the key. Compare it in another way if it matters who this is."
      : "A guest without a key: the host can read what you send to this person alone.";
    find("rename").hidden = !me;
    find("new-nick").value = nick;
    find("person-private").hidden = me;
    this.shownPerson = person;
    if (find("sheet").open) find("sheet").close();
    find("person").showModal();
  }

  writeTo(person) {
    this.actions.keepDraft();
    this.to = person;
    find("to").hidden = person === null;
    find("composer").classList.toggle("private", person !== null);
    if (person === null) {
      find("text").setAttribute("aria-label", "Message to everyone");
    } else {
      const nick = shownNick(person.id, person.nick);
      const readable = person.id.startsWith("~") ? " (the host can read it)" : "";
      find("to-text").textContent = `To ${nick} only${readable}`;
      find("text").setAttribute("aria-label", `Message to ${nick} only`);
    }
    this.problem("");
    this.actions.showDraft();
    find("text").focus();
  }

  problem(text) {
    find("problem").textContent = text;
  }

  fit() {
    const text = find("text");
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 2}px`;
  }

  tellWho() {
    const names = [...this.room.people.values()].map((person) => shownNick(person.id, person.nick));
    this.log.add(() => this.log.note(`Here: ${names.join(", ")}.`, true), false);
  }

  wire() {
    find("people-button").addEventListener("click", () => find("sheet").showModal());
    for (const [dialog, button] of [["sheet", "sheet-close"], ["person", "person-close"]]) {
      find(button).addEventListener("click", () => find(dialog).close());
      find(dialog).addEventListener("click", (event) => event.target === find(dialog) && find(dialog).close());
    }
    find("person-private").addEventListener("click", () => {
      find("person").close();
      this.writeTo(this.shownPerson);
    });
    find("rename").addEventListener("submit", (event) => {
      event.preventDefault();
      this.actions.rename(find("new-nick").value.trim());
      find("person").close();
    });
    find("to-all").addEventListener("click", () => this.writeTo(null));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.unread = 0;
      if (this.title) this.setTitle();
    });
  }
}
