// The files of the room: sending, the list, fetching. A file is fetched only when somebody asks for it, and nothing
// that came is ever opened by the page, except that pictures are shown.

const MAX_FETCH = 200 * 1000 * 1000; // bytes; a page keeps a file in memory, and tabs crash on more
const MAX_PICTURE = 10 * 1000 * 1000; // bytes of a file that is shown
const KEPT_FOR = 60000; // ms that a large file stays in memory, in case that it is to be saved once more
const MAX_FILES = 1000; // that the page knows
const AGAIN_AFTER = 1500; // ms after a transfer was cut
const GIVE_UP = 12; // attempts without a byte, or without success for another reason than a lost connection
const TOO_LARGE = "This file is too large for a page. Use the lanchat program.";
const ENDED = {
  removed: "was removed",
  changed: "has changed, and is sent again",
  unfinished: "was never finished and is gone",
  expired: "was kept for its time and is gone",
  quota: "made room for newer files",
  lost: "is gone from the host",
};

// By its first bytes: only these are shown, whatever the name says.
function pictureType(bytes) {
  const starts = (...values) => values.every((value, at) => value === null || bytes[at] === value);
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (starts(0xff, 0xd8, 0xff)) return "image/jpeg";
  if (starts(0x47, 0x49, 0x46, 0x38)) return "image/gif";
  if (starts(0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50)) return "image/webp";
  return "";
}

function mayBePicture(file) {
  return /\.(png|jpe?g|gif|webp)$/i.test(file.name) && file.size > 0 && file.size <= MAX_PICTURE;
}

// `ui.changed(file)` is called when a file looks different from now on, `ui.note(text)` for what a person should read.
class Files {
  constructor(room, ui) {
    this.room = room;
    this.ui = ui;
    this.known = new Map(); // by the host's name of the file, oldest first
    this.outgoing = new Map(); // what we send, by id
    this.listing = null; // called when the list is complete
  }

  // The largest file that the room takes; 0: none.
  get limit() {
    return (this.room.welcome && this.room.welcome.files) || 0;
  }

  // Throws an Error for a person.
  check(file) {
    if (!this.limit) throw new Error("This room takes no files.");
    if (file.size > this.limit) {
      throw new Error(`Not sent: ${sizeText(file.size)}, and this room takes files of up to ${sizeText(this.limit)}.`);
    }
  }

  // Send a file to everybody, or to this person alone.
  send(file, person = null) {
    this.check(file);
    const id = this.room.newId();
    const name = (file.name || "file").slice(-200);
    const sending = { id, file, name, source: new PlainSource(file), offer: {}, failures: 0, again: false };
    if (person) return this.seal(sending, person);
    this.begin(sending);
  }

  begin(sending) {
    sending.size = sending.source.size;
    sending.progress = new Progress(sending.size);
    this.outgoing.set(sending.id, sending);
    this.ui.sending(sending);
    this.ask(sending);
  }

  // The offer says what the file has to be, so all of it is read once before.
  async seal(sending, person) {
    const recipient = this.room.keys.get(person.id);
    if (!recipient) throw new Error("This guest has no key, so no file can be sealed for them alone.");
    try {
      const key = random(32);
      const sum = await fileSum(sending.file);
      const offer = { key, sha256: sum, size: sending.file.size, name: shortName(sending.name) };
      const { box, copy } = this.room.sealer.sealOffer(recipient, sending.id, offer);
      sending.source = new SealedSource(sending.file, key);
      sending.offer = { to: person.id, nick: person.nick, box: base64(box), copy: base64(copy) };
      this.begin(sending);
    } catch (error) {
      this.ui.note(`${safeText(sending.name)} was not sent: ${safeText(error.message)}`);
    }
  }

  ask(sending) {
    const { id, size, offer } = sending;
    const asked = { t: "file_send", id, name: offer.to ? "" : sending.name, size, ...offer };
    this.room.send(sending.again ? { ...asked, again: true } : asked);
    sending.again = true;
  }

  cancel(sending) {
    clearTimeout(sending.timer);
    this.outgoing.delete(sending.id);
    if (sending.link) sending.link.cancel();
    if (sending.hosted) this.room.send({ t: "file_remove", file: sending.hosted });
    this.ui.sent(sending, "cancelled");
  }

  remove(file) {
    this.room.send({ t: "file_remove", file: file.file });
  }

  // Fetch a file, and call `then(blob)`.
  fetch(file, then) {
    if (file.blob) return then(file.blob);
    if (file.size > MAX_FETCH) return this.ui.note(TOO_LARGE);
    if (file.fetching) return file.fetching.then.push(then);
    file.fetching = { then: [then], progress: new Progress(file.wire), failures: 0 };
    this.room.send({ t: "file_get", file: file.file });
    this.ui.changed(file);
  }

  // Whether the browser can download a file by itself, as any other: whole at the host from which the page came by https,
  // and not sealed. Then its size does not matter.
  hasAddress(file) {
    const { protocol, host } = location;
    return protocol === "https:" && new URL(this.room.url).host === host && file.state === "stored" && !file.offer && !file.blob;
  }

  // Ask for the address of a file, and call `then(path)`, or `elsewhere()` if another host of the room has the file.
  address(file, then, elsewhere) {
    file.addressed = then;
    file.elsewhere = elsewhere;
    this.room.send({ t: "file_get", file: file.file, download: true });
  }

  stop(file, why = "") {
    const { fetching } = file;
    if (!fetching) return;
    file.fetching = null;
    clearTimeout(fetching.timer);
    if (fetching.link) fetching.link.cancel();
    if (why) this.ui.note(`${safeText(file.name)} was not fetched: ${why}`);
    this.ui.changed(file);
  }

  list(then) {
    this.listing = then;
    this.room.send({ t: "file_list" });
  }

  // The room has been joined, perhaps again: what was asked is asked again, and transfers go on.
  resume() {
    if (this.listing) this.room.send({ t: "file_list" });
    for (const sending of this.outgoing.values()) if (!sending.link) this.ask(sending);
    for (const file of this.known.values()) {
      file.addressed = null;
      if (file.fetching && !file.fetching.link) this.room.send({ t: "file_get", file: file.file });
    }
  }

  // ---- what the host says

  take(message) {
    switch (message.t) {
      case "file_offered":
        return this.offered(message);
      case "file_stored":
      case "file_removed":
        return this.ended(message);
      case "file_entry":
        return this.entry(message);
      case "file_end":
        if (this.listing) this.listing();
        this.listing = null;
        return;
      case "file_ticket":
        return message.up ? this.upload(message) : this.download(message);
      case "file_refused":
        return this.refused(message);
    }
  }

  offered(message) {
    const file = this.learn(message);
    const sending = message.by === this.room.me.id && this.outgoing.get(message.id);
    if (sending) sending.hosted = file.file;
  }

  // A file for us alone, or from us for one person. Returns it; null: we cannot read what it is.
  offeredPrivately(message) {
    const own = message.by === this.room.me.id;
    let file = this.known.get(message.file);
    if (!file) {
      const { by, to, nick, at } = message;
      const id = message.offer || message.id;
      try {
        const box = (own && message.copy) || message.box;
        const offer = this.room.sealer.openOffer(by, to, id, fromBase64(box || ""));
        if (sealedSize(offer.size) !== message.size) throw new CannotOpen("its size does not fit");
        file = this.learn({ file: message.file, name: offer.name, size: offer.size, by, nick, at });
        Object.assign(file, { offer, wire: message.size, to, toNick: message.to_nick });
      } catch (error) {
        const why = error instanceof CannotOpen ? error.message : "damaged";
        if (!message.seen) this.ui.note(`A file from ${safeNick(nick)} for ${own ? "one person" : "you"} could not be opened (${why}).`);
        return null;
      }
    }
    const sending = own && this.outgoing.get(message.id);
    if (sending) sending.hosted = file.file;
    if (message.state && message.state !== "offered") this.ended({ ...message, t: `file_${message.state}` });
    return file;
  }

  learn(message) {
    let file = this.known.get(message.file);
    if (!file) {
      const { name, size, by, nick, at } = message;
      file = { file: message.file, name, size, wire: size, by, nick, at, state: "sending", blob: null, fetching: null };
      this.known.set(file.file, file);
      if (this.known.size > MAX_FILES) this.known.delete(this.known.keys().next().value);
    }
    return file;
  }

  entry(message) {
    const file = message.to ? this.offeredPrivately(message) : this.learn(message);
    if (!file) return;
    file.state = message.sha256 ? "stored" : "sending";
    file.host = message.elsewhere || "";
    const sending = message.id && message.by === this.room.me.id && this.outgoing.get(message.id);
    if (sending && message.sha256) this.stored(sending, file);
    this.ui.changed(file);
  }

  ended(message) {
    const file = this.known.get(message.file);
    if (!file) return;
    if (message.t === "file_stored") {
      file.state = "stored";
    } else if (message.reason !== "changed") {
      file.state = "gone";
      file.reason = ENDED[message.reason] || "is gone";
      file.blob = null;
      this.stop(file, "it is gone.");
    }
    this.ui.changed(file);
  }

  refused(message) {
    const sending = this.outgoing.get(message.id);
    const file = this.known.get(message.file);
    const later = message.code === "many" || message.code === "disk";
    if (sending) {
      if (later) return this.later(sending, () => this.ask(sending), AGAIN_AFTER * 4);
      this.outgoing.delete(sending.id);
      this.ui.sent(sending, "refused", safeText(message.text));
    } else if (file && file.addressed) {
      file.addressed = null;
      if (message.code === "elsewhere") return file.elsewhere();
      this.ui.note(safeText(message.text));
    } else if (file && file.fetching && message.code === "elsewhere" && !file.fetching.went) {
      this.goFor(file, safeText(message.text));
    } else if (file && file.fetching) {
      this.stop(file, safeText(message.text));
    } else {
      this.ui.note(safeText(message.text));
    }
  }

  // Another host of the room has this file, and the list says which: go on there, where `resume` asks once more.
  goFor(file, why) {
    const { fetching } = file;
    const { listing } = this;
    fetching.went = true;
    this.list(() => {
      if (listing) listing();
      if (file.fetching === fetching && !this.room.goTo(file.host)) this.stop(file, why);
    });
  }

  // ---- the bytes

  upload(ticket) {
    const sending = this.outgoing.get(ticket.id);
    if (!sending || ticket.size !== sending.size) return;
    sending.hosted = ticket.file;
    if (sending.link) sending.link.cancel();
    sending.link = this.link(ticket, sending, sending.source, () => this.ui.sendingMoved(sending), (code, text) => {
      if (code === "done") return this.stored(sending, this.known.get(sending.hosted));
      if (code === "changed") {
        this.outgoing.delete(sending.id);
        this.room.send({ t: "file_remove", file: sending.hosted });
        return this.ui.sent(sending, "refused", text);
      }
      if (this.later(sending, () => this.ask(sending), code === "disk" ? 30000 : AGAIN_AFTER)) return;
      this.outgoing.delete(sending.id);
      this.ui.sent(sending, "refused", text);
    });
  }

  stored(sending, file) {
    if (!this.outgoing.delete(sending.id)) return;
    clearTimeout(sending.timer);
    if (sending.link) sending.link.cancel();
    if (file) file.blob = sending.file; // nobody needs to fetch what they have
    this.ui.sent(sending, "stored");
    if (file) this.ui.changed(file);
  }

  download(ticket) {
    const file = this.known.get(ticket.file);
    if (file && file.addressed) {
      file.addressed(`/f/${base64Url(fromBase64(ticket.ticket))}`);
      file.addressed = null;
      return;
    }
    const fetching = file && file.fetching;
    if (!fetching || fetching.link || ticket.size !== file.wire) return;
    fetching.link = this.link(ticket, fetching, null, () => this.ui.moved(file), (code, text) => {
      if (file.fetching !== fetching) return;
      if (code === "done") {
        return this.fetched(file, fetching);
      }
      if (!this.later(fetching, () => this.room.send({ t: "file_get", file: file.file }))) this.stop(file, text);
    });
  }

  async fetched(file, fetching) {
    const came = new Blob(fetching.progress.parts, { type: "application/octet-stream" });
    let blob = came;
    let problem = "";
    try {
      if (file.offer) blob = await openFile(came, file.offer);
    } catch (error) {
      problem = `${error.message}.`;
    }
    if (file.fetching !== fetching) return; // cancelled meanwhile
    if (problem) return this.stop(file, problem);
    file.blob = blob;
    file.fetching = null;
    this.ui.changed(file);
    for (const then of fetching.then) then(file.blob);
    if (file.size > MAX_PICTURE) setTimeout(() => (file.blob = null), KEPT_FOR);
  }

  // `transfer` holds `progress`, `failures`, and then its `link`.
  link(ticket, transfer, source, moved, ended) {
    let progressed = false;
    const link = new TransferLink(this.room.url, this.room.hostKey, ticket.ticket, transfer.progress, source, {
      moved: () => {
        progressed = true;
        moved();
      },
      ended: (code, text) => {
        if (transfer.link === link) transfer.link = null;
        if (code === "cancelled") return;
        transfer.failures = progressed && code === "lost" ? 0 : transfer.failures + 1;
        ended(code, text);
      },
    });
    return link;
  }

  // Try again; without a connection to the room, `resume` will. Returns false if it has failed too often.
  later(transfer, act, pause = AGAIN_AFTER) {
    if (transfer.failures > GIVE_UP) return false;
    clearTimeout(transfer.timer);
    transfer.timer = setTimeout(() => this.room.connected && !transfer.link && act(), pause);
    return true;
  }
}
