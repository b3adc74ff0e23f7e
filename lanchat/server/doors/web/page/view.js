// What the page shows. Texts from the network come in by `textContent` only, and made safe before.

const MAX_SHOWN_PEOPLE = 200;
const LOST_KEY = " If that was you, this browser has not kept your key, as in a private window.";

// The whole page; the methods that `Room` calls, and those of the persons who use it.
class View {
  constructor() {
    this.log = new Log();
    this.rows = new Map(); // messages that wait, by id
    this.to = null; // the person to whom the composer writes; null: everyone
    this.attention = new Attention();
    this.actions = {}; // what the page calls for what people do
    this.wire();
  }

  // ---- what the room tells

  opened(card, nick) {
    const here = card.people ? `${counted(card.people, "person is", "people are")} here.` : "Nobody is here yet.";
    find("door-title").textContent = safeText(card.title);
    find("door-about").textContent = `${safeNick(card.host)} hosts this room. ${here}`;
    this.attention.name(safeText(card.title));
    this.showDoor();
    find("join").hidden = false;
    if (!find("nick").value) find("nick").value = nick;
    find("nick").focus();
  }

  joined(again) {
    find("door").hidden = true;
    find("room").hidden = false;
    find("title").textContent = safeText(this.room.card.title);
    this.showTopic(this.room.welcome.topic || "");
    this.hideBar();
    this.log.showEmpty();
    find("clip").hidden = !this.files.files.limit;
    for (const button of document.querySelectorAll(".files-button")) button.hidden = !this.files.files.limit;
    this.files.files.resume();
    if (!again && this.files.files.limit) this.files.tellNewcomer();
    if (!again) find("text").focus();
  }

  refused(code, text, suggestion = "", owned = false) {
    const words = {
      password: "This room has a password, and web pages never ask for it. Ask the host for a guest link (the host types /web).",
      ticket: "This guest link is no longer valid. Ask the host for a new one.",
    };
    this.showDoor();
    find("door-error").textContent = words[code] || safeText(text);
    if (code === "nick" && suggestion) {
      find("door-error").textContent += ` ${safeNick(suggestion)} is free.`;
      if (owned) find("door-error").textContent += LOST_KEY;
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
    if (why === "moved" || why === "going") {
      this.state("Not connected");
      const words = why === "moved" ? "The room moves to another computer ..." : "Going to the host that has the file ...";
      return this.showBar(words, false);
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

  people() {
    if (this.peopleChanged) return;
    this.peopleChanged = true;
    const show = () => {
      this.peopleChanged = false;
      this.showPeople();
    };
    if (document.hidden) setTimeout(show, 200);
    else requestAnimationFrame(show);
  }

  showPeople() {
    const people = [...this.room.people.values()];
    people.sort((one, other) => other.host - one.host || one.nick.localeCompare(other.nick));
    const number = this.room.crowd || people.length;
    find("people-button").textContent = counted(number, "person", "people");
    const focused = document.activeElement && document.activeElement.closest("ul.people li");
    for (const list of document.querySelectorAll("ul.people")) {
      const shown = people.slice(0, MAX_SHOWN_PEOPLE).map((person) => this.personRow(person));
      const again = focused && list.contains(focused) && shown.find((row) => row.dataset.key === focused.dataset.key);
      const more = number - shown.length;
      list.replaceChildren(...shown, ...(more > 0 ? [make("li", "more", `and ${more} more`)] : []));
      if (again) again.firstElementChild.focus();
    }
  }

  said(said, past, own) {
    const waited = own && this.rows.get(said.id);
    this.log.add(() => {
      if (waited) this.settle(said.id);
      const className = [own && "own", said.action && "action", said.late && "late"].filter(Boolean).join(" ");
      const tag = said.late && "said while disconnected";
      const text = said.action ? `${shownNick(said.by, said.nick)} ${said.text}` : said.text;
      return this.log.message(said.by, said.nick, said.at, text, { className, tag });
    });
    if (!past && !own) this.attention.call();
  }

  // `past`: it was seen before, and is nothing new.
  told(told, past = false) {
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
          quiet: past,
        },
      );
      if (!told.own && !past) this.confirmWhenSeen(told);
      return row;
    }, !past);
    if (!told.own && !past) this.attention.call();
  }

  // The host does not know that it was seen; perhaps it was not. It is behind the row of the first time.
  toldAgain(told) {
    this.log.add(() => this.confirmWhenSeen(told), false);
  }

  happened(event, past) {
    if (event.t.startsWith("file_")) return this.file(event);
    if (event.t === "topic" && !past) this.showTopic(event.topic);
    const words = this.eventText(event);
    if (!words || (past && event.t !== "moved")) return;
    this.log.add(() => this.log.note(words), false);
    if (event.by === this.room.me.id && event.t === "renamed") this.showTopic(this.topic);
    if (event.t === "moved") this.log.add(() => this.openThere(event), false);
  }

  // Offers the page of the computer that hosts the room now, unless this page came from there: to load this one again
  // would fail. The newest offer stands alone.
  openThere(event) {
    if (this.offer) this.offer.remove(); // it may not be on the page yet
    this.offer = null;
    const { page } = this.room.where.host;
    const known = event.by === this.room.hostId && this.room.where.has(location.origin);
    if (!known || new URL(page).host === location.host) return null;
    const button = make("button", "quiet", "Open it there");
    button.type = "button";
    button.addEventListener("click", () => this.actions.openThere(page));
    this.offer = make("p", "open-there", [button]);
    return this.offer;
  }

  // This page goes on where another one has left off.
  handed(handed) {
    this.actions.adopt(handed);
    this.actions.showDraft();
    handed.inside();
  }

  // The room goes on in another tab.
  movedOn() {
    this.state("Not connected");
    this.showBar("You are in the room in another tab now, at the address of the computer that hosts it.", false);
  }

  file(message) {
    this.files.files.take(message);
    if (message.t !== "file_offered") return;
    const file = this.files.files.known.get(message.file);
    const own = message.by === this.room.me.id;
    this.log.add(() =>
      this.log.message(message.by, message.nick, message.at, "", {
        className: own ? "own" : "",
        body: this.files.card(file, false),
      }),
    );
    if (!own) this.attention.call();
  }

  // A file for one person comes until it has been shown, and again with each change.
  privateFile(message) {
    const first = !this.files.files.known.has(message.file);
    const file = this.files.files.offeredPrivately(message);
    const own = message.by === this.room.me.id;
    const confirm = () => !own && !message.seen && this.confirmWhenSeen(message);
    if (!file || !first || message.state === "removed") return confirm();
    const to = own ? safeNick(message.to_nick) : "you";
    this.log.add(() => {
      confirm();
      return this.log.message(message.by, message.nick, message.at, "", {
        className: own ? "own private" : "private",
        tag: `to ${to} only`,
        unseen: own ? `Private to ${to}: ` : `Private from ${safeNick(message.nick)}: `,
        body: this.files.card(file, false),
      });
    });
    if (!own) this.attention.call();
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
      case "topic":
        return event.topic ? `${who} set the topic: ${safeText(event.topic)}` : `${who} removed the topic`;
      case "moved":
        return this.movedText(event, who);
      default:
        return "";
    }
  }

  // A page that is loaded again has to come from the computer that hosts the room.
  movedText(event, who) {
    const before = safeNick(event.before || "");
    const page = this.room.where.pageOf(event.by);
    const words = {
      handover: before && `${before} has handed the room to ${who}`,
      takeover: before && `${before} is gone; ${who} now hosts the room`,
      failback: `${who} hosts the room again`,
      merge: `Two halves of the room have found each other again; ${who} hosts it`,
    };
    const said = words[event.reason] || `${who} hosts the room now`;
    return page ? `${said}, at ${page}` : said;
  }

  notice(code, text) {
    const host = [...this.room.people.values()].find((person) => person.host);
    const words = code === "key" || !host ? text : `${safeNick(host.nick)} (host): ${text}`;
    this.log.add(() => this.log.note(safeText(words), code !== "stored" && code !== "key"), false);
  }

  // A message of ours waits for the host.
  waiting(message) {
    const text = message.action ? `${safeNick(this.room.me.nick)} ${message.text}` : message.text;
    const tag = message.kind === "tell" ? `to ${safeNick(message.nick)} only, waiting` : "waiting";
    const row = make("div", "message waiting", [textBox(text, "text"), make("span", "tag", tag)]);
    this.rows.set(message.id, row);
    // Most are back within milliseconds, and are never seen to wait.
    setTimeout(() => {
      if (this.rows.get(message.id) !== row) return;
      this.log.waiting.append(row);
      this.log.showEmpty();
      if (this.log.follows) this.log.toEnd();
    }, 300);
  }

  heard(id) {
    setTimeout(() => this.settle(id), 1000); // in case that so many came that its row was left out
  }

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

  // Under the title stands what the room is about, or else who we are.
  showTopic(topic) {
    this.topic = topic;
    this.state(topic ? safeText(topic) : `You are ${safeNick(this.room.me.nick)}`);
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

  confirmWhenSeen({ by, id }) {
    const confirm = () => this.room.confirm(by, id);
    if (document.hidden) document.addEventListener("visibilitychange", confirm, { once: true });
    else confirm();
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
    return make("li", "", [button], { "data-key": `${id} ${nick}` });
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
    find("rename").hidden = find("own-settings").hidden = !me;
    find("new-nick").value = nick;
    find("person-private").hidden = me;
    this.shownPerson = person;
    this.openDialog("person");
  }

  // A sheet closes by Escape, its button, a tap beside it, and the back button of a phone.
  openDialog(name) {
    const open = document.querySelector("dialog[open]");
    if (!open) {
      history.pushState("sheet", "");
      this.opener = document.activeElement;
    }
    find(name).showModal();
    if (open && open.id !== name) open.close();
  }

  dialogClosed() {
    if (document.querySelector("dialog[open]")) return;
    if (history.state === "sheet") history.back();
    const lost = !document.activeElement || document.activeElement === document.body;
    if (lost && this.opener && this.opener.isConnected) this.opener.focus();
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

  // As many lines as are written, up to the six of the style.
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
    find("people-button").addEventListener("click", () => this.openDialog("sheet"));
    window.addEventListener("popstate", () => {
      for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    });
    find("lines").addEventListener("click", (event) => {
      const { id, nick } = event.target.dataset;
      if (id) this.showPerson(this.room.people.get(`${id} ${nick}`) || { id, nick, host: false });
    });
    for (const [dialog, button] of [["sheet", "sheet-close"], ["person", "person-close"], ["files", "files-close"]]) {
      find(dialog).addEventListener("close", () => this.dialogClosed());
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
  }
}
