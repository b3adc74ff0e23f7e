// The messages of the room. Rows are made when the browser paints next, however many came.

const MAX_ROWS = 1000; // messages in the page
const TOGETHER = 5 * 60 * 1000; // ms between two messages that stand under one nick
const MANY = 5; // rows within a second, which a screen reader hears as a number
const NEAR_END = 60; // px from the end of the log, where it follows
const SLICE = 24; // ms of making rows, after which the browser may do something else

const timeFormat = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const dayFormat = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long" });

// The time of day. A host may send any number, also one that is no time.
function clockText(date) {
  return isNaN(date) ? "--:--" : timeFormat.format(date);
}

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
    this.burst = 0; // rows of this second
    this.box.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.newer.addEventListener("click", () => {
      this.toEnd();
      this.box.focus();
    });
    if (window.ResizeObserver) {
      const observer = new ResizeObserver(() => this.follows && this.toEnd());
      observer.observe(this.box);
      observer.observe(this.lines); // a picture has been loaded
    }
  }

  // Adds what `paint` returns: a row, or null. It is called in the order of the calls.
  add(paint, counts = true) {
    this.pending.push({ paint, counts });
    if (this.pending.length > 4 * MAX_ROWS) this.pending.splice(0, 2 * MAX_ROWS);
    this.schedule();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    if (document.hidden) setTimeout(() => this.flush(), 200);
    else requestAnimationFrame(() => this.flush());
  }

  flush() {
    this.scheduled = false;
    if (this.pending.length > MAX_ROWS) this.pending.splice(0, this.pending.length - MAX_ROWS);
    const rows = document.createDocumentFragment();
    const began = performance.now();
    let number = 0;
    let taken = 0;
    while (taken < this.pending.length && performance.now() - began < SLICE) {
      const { paint, counts } = this.pending[taken++];
      const row = this.row(paint);
      if (!row) continue;
      rows.append(row);
      if (counts) number += 1;
    }
    this.pending.splice(0, taken);
    if (this.pending.length) this.schedule();
    this.count(number);
    const follows = this.follows;
    this.lines.append(rows);
    this.showEmpty();
    this.trim(follows ? MAX_ROWS : 2 * MAX_ROWS, !follows);
    if (follows) {
      this.toEnd();
    } else if (number) {
      this.unseen += number;
      this.newer.textContent = counted(this.unseen, "new message");
      this.newer.hidden = false;
    }
  }

  // A row that cannot be made is left out: it must not keep the others from being shown.
  row(paint) {
    try {
      return paint();
    } catch (error) {
      console.error(error);
      return null;
    }
  }

  // A screen reader hears each message of a talk, and of a flood how many there were.
  count(number) {
    this.burst += number;
    if (this.burst > MANY) this.box.setAttribute("aria-busy", "true");
    if (!this.burst || this.counting) return;
    this.counting = setTimeout(() => {
      this.counting = null;
      if (this.burst > MANY) {
        announce(`${this.burst} new messages`);
        this.count(0);
      } else {
        this.box.removeAttribute("aria-busy");
      }
      this.burst = 0;
    }, 1000);
  }

  // Forget the oldest rows. Who reads older ones stays where they are.
  trim(most, stay) {
    const more = this.lines.childElementCount - most;
    if (more <= 0) return;
    const before = stay ? this.box.scrollHeight : 0;
    for (let at = 0; at < more; at += 1) this.lines.firstElementChild.remove();
    if (stay) this.box.scrollTop -= before - this.box.scrollHeight;
  }

  showEmpty() {
    find("empty").hidden = this.lines.childElementCount > 0 || this.waiting.childElementCount > 0;
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

  // A row for a message. `more` may hold tag, unseen, className, problem, and quiet: no screen reader announces it.
  message(by, nick, at, text, more = {}) {
    const date = new Date(at);
    const together = this.last.by === `${by} ${nick} ${more.className || ""}` && at - this.last.at < TOGETHER;
    const day = this.day(date);
    const quiet = more.quiet ? { "aria-live": "off" } : {};
    const row = make("div", `message ${more.className || ""}`, "", quiet);
    if (more.unseen) row.append(make("span", "unseen", more.unseen));
    if (day || !together) {
      const time = make("time", "", clockText(date), isNaN(date) ? {} : { datetime: date.toISOString() });
      const name = make("bdi", "nick", shownNick(by, nick), { "data-id": by, "data-nick": nick });
      row.append(make("div", "head", [name, more.tag && make("span", "tag", more.tag), time]));
      row.classList.add("first");
    } else if (this.lastRow) {
      this.lastRow.classList.remove("last");
    }
    row.classList.add("last");
    row.append(more.body || textBox(text, more.problem ? "text problem" : "text", clockText(date)));
    this.last = { ...this.last, by: `${by} ${nick} ${more.className || ""}`, at };
    this.lastRow = row;
    if (!day) return row;
    if (more.quiet) day.setAttribute("aria-live", "off");
    const both = document.createDocumentFragment();
    both.append(day, row);
    return both;
  }

  // The line of a new day; null if it is the same day.
  day(date) {
    if (isNaN(date)) return null;
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
      end.append(` · ${text}`); // a screen reader hears what is new of it
      return null;
    }
    const row = make("p", important ? "note important" : "note", text);
    this.lastNote = important ? null : row;
    return row;
  }
}

function announce(text) {
  const place = find("announce");
  place.textContent = "";
  place.textContent = text;
}
