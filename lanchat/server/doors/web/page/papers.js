// The signed papers that let a room move: the owner's list of standbys, and the record of who hosts the room now. A host
// is checked by them before anything of ours is sent; lanchat/protocol/delegation.py and papers.py hold the same rules.

const SIGNATURE_SIZE = 64; // bytes
const MAX_FIELDS = 135; // of a paper
const MAX_STANDBYS = 7; // in a list
const MAX_INDEX = 63; // of a standby; 0 is the owner
const MAX_TERM = 2 ** 15 - 1;
const MAX_ENTRIES = 64; // of a timeline
const INDEX_RANGE = 64; // epoch = term * INDEX_RANGE + index of the host

// The fields of a paper, the text that is signed, and the signature. Throws if it was not made of fields.
function paperFields(paper) {
  const end = paper.length - SIGNATURE_SIZE;
  const view = new DataView(paper.buffer, paper.byteOffset, paper.byteLength);
  const fields = [];
  for (let at = 0; at < end; ) {
    const size = at + 4 <= end ? view.getUint32(at) : Infinity;
    if (at + 4 + size > end || fields.length === MAX_FIELDS) throw new Error("These papers cannot be read.");
    fields.push(paper.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return { fields, text: paper.subarray(0, Math.max(0, end)), signature: paper.subarray(Math.max(0, end)) };
}

// There is one way to write a number.
function paperNumber(field, most = Number.MAX_SAFE_INTEGER) {
  const text = fromUtf8.decode(field);
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text) || Number(text) > most) throw new Error("These papers hold an invalid number.");
  return Number(text);
}

function paperBytes(field, size) {
  if (!field || field.length !== size) throw new Error("These papers hold an invalid key.");
  return field;
}

function checkSignature(signed, key) {
  const { text, signature } = signed;
  if (!noble.ed25519.verify(signature, text, key, { zip215: false })) throw new Error("These papers do not have the right signature.");
}

// Which of these kinds a paper is.
function checkKind(fields, ...kinds) {
  const kind = fields.length < 2 ? "" : fromUtf8.decode(fields[0]);
  if (!kinds.includes(kind) || fromUtf8.decode(fields[1]) !== "1") throw new Error("These papers are of another kind.");
  return kind;
}

// The owner's list of standbys. Throws unless the owner has signed it.
function readDelegation(paper, owner) {
  const signed = paperFields(paper);
  const [, , room, number, made, until, password, limit, ...rest] = signed.fields;
  checkKind(signed.fields, "lanchat delegation");
  if (!limit || rest.length % 4 || rest.length > 4 * MAX_STANDBYS) throw new Error("The list of standbys cannot be read.");
  const standbys = [];
  for (let at = 0; at < rest.length; at += 4) {
    const index = paperNumber(rest[at], MAX_INDEX);
    const role = fromUtf8.decode(rest[at + 1]);
    const known = standbys.some((one) => one.index === index);
    if (!index || known || !["s", "h"].includes(role)) throw new Error("The list of standbys cannot be read.");
    paperBytes(rest[at + 3], 8);
    standbys.push({ index, role, key: paperBytes(rest[at + 2], 32) });
  }
  checkSignature(signed, owner);
  return {
    room: fromUtf8.decode(room),
    number: paperNumber(number),
    made: paperNumber(made),
    until: paperNumber(until),
    password: paperNumber(password, 1) === 1,
    termLimit: paperNumber(limit, MAX_TERM),
    standbys,
  };
}

// What a record says, whoever has signed it.
function termFields(signed) {
  const engine = checkKind(signed.fields, "lanchat term", "lanchat engine") === "lanchat engine";
  const [, , room, epoch, key, delegation, began, ...rest] = signed.fields;
  if (!began || rest.length % 2 || rest.length > 2 * MAX_ENTRIES) throw new Error("The record of the host cannot be read.");
  paperNumber(delegation);
  paperNumber(began);
  const past = [];
  for (let at = 0; at < rest.length; at += 2) past.push([paperNumber(rest[at]), paperNumber(rest[at + 1], N_RANGE - 1)]);
  const term = { room: fromUtf8.decode(room), epoch: paperNumber(epoch), key: paperBytes(key, 32), past, engine };
  const epochs = [...past.map(([earlier]) => earlier), term.epoch];
  if (epochs.some((one, at) => at && one <= epochs[at - 1]) || term.epoch >= (MAX_TERM + 1) * INDEX_RANGE || (engine && term.epoch % INDEX_RANGE)) {
    throw new Error("The record of the host cannot be read.");
  }
  return term;
}

// The record of a host, or of all hosts on an engine. Throws unless that host, or the owner that it names, has signed it.
function readTerm(paper) {
  const signed = paperFields(paper);
  const term = termFields(signed);
  checkSignature(signed, term.key);
  return term;
}

// Whether a list names this key as one of several hosts.
function namesHost(newest, key) {
  return Boolean(newest) && newest.list.standbys.some((one) => one.role === "h" && sameBytes(one.key, key));
}

// What we know of who may host one room. Nothing of it changes: each method that learns gives new ones.
class Papers {
  // `list`: the newest that we have seen, as it was signed; null: none. `ahead`: ms by which the owner's clock is ahead
  // of ours, since a list ends by the owner's clock.
  constructor(room, owner, list = null, ahead = 0) {
    Object.assign(this, { room, owner, list, ahead });
  }

  // What a first host tells.
  static first(card, hostKey) {
    return new Papers(card.room, card.owner ? fromBase64(card.owner) : hostKey);
  }

  static kept(room, kept) {
    return new Papers(room, fromBase64(kept.owner), kept.list ? fromBase64(kept.list) : null, Number(kept.ahead) || 0);
  }

  get toKeep() {
    return { owner: base64(this.owner), list: this.list ? base64(this.list) : "", ahead: this.ahead };
  }

  // A host shows this card, over a link with this key. Returns what we know now; throws if it may not host the room.
  accept(card, hostKey, now) {
    if (!card.term) {
      if (sameBytes(hostKey, this.owner)) return this;
      throw new Error("The computer that answers has another key than the owner of the room.");
    }
    if (!card.owner || !sameBytes(fromBase64(card.owner), this.owner)) {
      throw new Error("The computer that answers names another owner of the room.");
    }
    const shown = card.delegation ? fromBase64(card.delegation) : null;
    const term = readTerm(fromBase64(card.term));
    const newest = this.newest(shown);
    this.check(term, newest, hostKey, now + this.ahead);
    if (newest && newest.list.password && !card.password) {
      throw new Error("The room has a password, and the computer that answers asks for none.");
    }
    return this.with(newest, hostKey, now);
  }

  // Our host has sent a list and perhaps its record over its link.
  renewed(list, term, hostKey, now) {
    const newest = this.newest(list);
    if (term) {
      const record = readTerm(term);
      if (record.room !== this.room || !this.isOf(record, hostKey, newest)) {
        throw new Error("The papers of this host belong to another computer.");
      }
    }
    return this.with(newest, hostKey, now);
  }

  // Whether a record fits the host that shows it.
  isOf(record, hostKey, newest) {
    if (!record.engine || sameBytes(hostKey, this.owner)) return sameBytes(record.key, hostKey);
    return sameBytes(record.key, this.owner) && namesHost(newest, hostKey);
  }

  checkEngine(term, newest, hostKey, now) {
    if (!sameBytes(term.key, this.owner)) throw new Error("The record of this host's engine is not signed by the owner.");
    if (sameBytes(hostKey, this.owner)) return;
    if (!namesHost(newest, hostKey)) {
      throw new Error("The owner of the room has not named this computer as one of its hosts.");
    }
    if (now >= newest.list.until) throw new Error("The owner's list of standbys has expired.");
  }

  check(term, newest, hostKey, now) {
    if (term.room !== this.room) throw new Error("The papers of this host are for another room.");
    if (term.engine) {
      this.checkEngine(term, newest, hostKey, now);
      return;
    }
    if (!sameBytes(term.key, hostKey)) throw new Error("The papers of this host belong to another computer.");
    const index = term.epoch % INDEX_RANGE;
    if (!newest || index === 0) {
      if (!sameBytes(hostKey, this.owner)) throw new Error("This host claims to be the owner of the room, and is not.");
      return;
    }
    const named = newest.list.standbys.find((one) => one.index === index);
    if (!named || !sameBytes(named.key, hostKey)) {
      throw new Error("The owner of the room has not named this computer as a standby.");
    }
    if (named.role === "h") {
      throw new Error("This computer may host the room only together with its owner, on their engine.");
    }
    if (now >= newest.list.until) throw new Error("The owner's list of standbys has expired.");
    if (Math.floor(term.epoch / INDEX_RANGE) > newest.list.termLimit) {
      throw new Error("This host has begun more terms than the owner of the room allows.");
    }
  }

  // The newer one of the list that we know and the one that is shown, with its bytes; null: there is none.
  newest(shown) {
    const found = [this.list, shown].filter(Boolean).map((paper) => ({ paper, list: readDelegation(paper, this.owner) }));
    if (found.some(({ list }) => list.room !== this.room)) throw new Error("The papers of this host are for another room.");
    return found.reduce((best, one) => (best && best.list.number >= one.list.number ? best : one), null);
  }

  with(newest, hostKey, now) {
    if (!newest) return this;
    const ahead = sameBytes(hostKey, this.owner) ? newest.list.made - now : this.ahead;
    return new Papers(this.room, this.owner, newest.paper, ahead);
  }
}
