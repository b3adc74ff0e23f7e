// A member of the room: it joins, resumes exactly once after a cut link, and keeps what it has said until the host has
// stored it. Nothing here touches the screen.

const VERSION = 2; // of the wire
const FOLLOW_LIMIT = 3000; // ms for another computer that may host the room, to show its card
const CONNECT_LIMIT = 5000; // ms for a connection and the host's card
const WELCOME_LIMIT = 15000; // ms for the host to admit us
const PING_AFTER = 10000; // ms of silence
const DEAD_AFTER = 25000; // ms of silence
const BEAT_DEAD = 4000; // ms of silence of a host that has promised signs of life; more where they come late
const PROBE_LIMIT = 3000; // ms for any sign of life after the page was asleep
const FIRST_RETRY = 250; // ms; it doubles
const LAST_RETRY = 8000; // ms
const SEEKING_RETRY = 1000; // ms, while somebody is about to host the room
const SEEKING = 20000; // ms
const HIDDEN_RETRY = 30000; // ms; nobody is looking
const MAX_UNSENT = 100; // messages
const MAX_KNOWN = 10000; // messages remembered by sender and id
const MAX_PEOPLE = 5000; // in a room that a host tells of; programs accept as many
const MAX_SPEAKERS = 200; // of a crowd who are listed
const MAX_KEYS = 10000; // of people whom we have seen
const MAX_LATER = 10000; // live events that wait for a gap to be filled
const WINDOW = 64; // messages on their way at once after a reconnect
const MAX_TEXT = 4096; // bytes
const MAX_LINES = 100;
const END_OF_LOG = 2 ** 53 - 1;

// Checks a text before it is sent. Returns it with plain line ends; throws an Error for a person.
function cleanText(text) {
  text = text.replace(/\r\n?/g, "\n").replace(/^\n+|\n+$/g, "");
  if (!text.trim()) throw new Error("A message cannot be empty.");
  const size = utf8.encode(text).length + 5 * (text.match(/[\0-\x08\x0b-\x1f]/g) || []).length;
  if (size > MAX_TEXT) throw new Error(`${size} bytes are too many for one message (${MAX_TEXT} at most).`);
  const lines = text.split("\n").length;
  if (lines > MAX_LINES) throw new Error(`${lines} lines are too many for one message (${MAX_LINES} at most).`);
  return text;
}

// The room as this member sees it. `ui` has a method for each thing that happens.
class Room {
  // `where`: which computers may host it.
  constructor(where, ui, { ticket = null } = {}) {
    this.where = where;
    this.ui = ui;
    this.ticket = ticket; // of a guest link, 16 bytes
    this.card = null;
    this.papers = null; // who may host it
    this.handed = null; // what the page of another computer has handed over, see handover.js
    this.store = new Storage(() => localStorage);
    this.history = null; // of private messages
    this.seed = null;
    this.sealer = null;
    this.me = { id: "", nick: "" };
    this.hostKey = null; // of the host that we joined
    this.people = new Map(); // by member id and nick
    this.keys = new Map(); // of all whom we have seen, by member id
    this.wanted = ""; // the nick to join with; "": nobody has asked to join yet
    this.admitted = false; // whether we have ever been in the room
    this.connected = false;
    this.final = false; // do not reconnect by ourselves
    this.channel = null;
    this.retries = 0;
    this.heardAt = this.saidAt = 0;
    this.lostAt = 0;
    this.timers = {};
    // what has come
    this.positions = new Positions();
    this.timeline = null; // of the host
    this.after = -1; // the last event that we and the host both have
    this.own = new OwnLines();
    this.beat = 0; // ms; the host has promised a sign of life as often
    this.gapUntil = 0;
    this.later = []; // events that wait for the gap; or all that is shown, until it is clear who has handed us over
    this.known = new Set();
    this.knownPrivate = new Set();
    this.kept = []; // private messages of before that are not shown yet, oldest first
    this.unseen = new Map(); // private messages that nobody has seen yet, by sender and id
    // what is to be sent
    this.prefix = hex(random(8));
    this.number = 0;
    this.unacked = new Map(); // by id, oldest first
    this.queue = []; // ids that wait for their place in the window
    this.underWay = new Set();
    this.question = null; // a private message whose recipient the host is asked for
  }

  get url() {
    return this.where.now.url;
  }

  get seq() {
    return this.positions.seq;
  }

  // ---- for the page

  // Connect, at first only to read the card.
  open() {
    clearTimeout(this.timers.retry);
    if (this.channel) this.channel.close();
    this.connected = false;
    this.limit(this.where.others.length ? FOLLOW_LIMIT : CONNECT_LIMIT);
    const channel = new Channel(this.url, {
      opened: (hostKey, binding) => {
        this.shown = { hostKey, binding };
      },
      messages: (list) => this.receive(channel, list),
      ended: (why) => this.lost(why),
    });
    this.channel = channel;
  }

  join(nick) {
    this.wanted = nick;
    this.final = false;
    this.retries = 0;
    this.open();
  }

  say(text, action = false) {
    this.add({ kind: "say", id: this.newId(), text: cleanText(text), action, at: Date.now() });
  }

  // A private message to somebody in the room, or to somebody whom we have seen.
  tell(person, text) {
    text = cleanText(text);
    const key = this.keys.get(person.id);
    const message = { kind: "tell", id: this.newId(), to: person.id, nick: person.nick, text };
    if (person.id.startsWith("~")) this.add({ ...message, open: true });
    else if (key) this.add({ ...message, key: base64(key) });
    else this.add({ ...message, ask: true });
  }

  // A private message to a nick; the host may have to say whose it is.
  tellNick(nick, text) {
    const person = this.called(nick);
    if (person) this.tell(person, text);
    else this.add({ kind: "tell", id: this.newId(), to: "", nick, text: cleanText(text), ask: true });
  }

  rename(nick) {
    this.send({ t: "rename", nick });
  }

  // Somebody has seen this private message or file. The host forgets a message then, so it is kept before.
  confirm(by, id) {
    const told = this.unseen.get(`${by} ${id}`);
    if (told) this.history.keep(told);
    this.unseen.delete(`${by} ${id}`);
    this.send({ t: "got", by, id });
  }

  leave() {
    this.send({ t: "bye" });
    this.final = true;
  }

  called(nick) {
    const wanted = nick.replace(/^~/, "").toLowerCase();
    return [...this.people.values()].find((person) => person.nick.toLowerCase() === wanted) || null;
  }

  // The page can be seen again, or the network is back.
  awake() {
    if (this.final || !this.wanted) return;
    if (!this.channel || this.channel.over) {
      this.retries = 0;
      this.open();
    } else if (this.connected) {
      const before = this.heardAt;
      this.send({ t: "ping" });
      clearTimeout(this.timers.probe);
      this.timers.probe = setTimeout(() => {
        if (this.heardAt === before && this.connected) this.cut();
      }, PROBE_LIMIT);
    }
  }

  // ---- the link

  cut() {
    if (!this.channel || this.channel.over) return;
    this.channel.close();
    if (this.connected) this.where.silent(); // two probes were not answered
    this.lost("silent");
  }

  lost(why) {
    clearTimeout(this.timers.limit);
    clearTimeout(this.timers.probe);
    clearInterval(this.timers.alive);
    const was = this.connected;
    this.connected = false;
    if (was || !this.lostAt) this.lostAt = Date.now();
    if (this.final) return;
    if (!this.wanted && this.card && why !== "impostor") return; // the card has been read, and nobody has asked to join yet
    const seeking = this.where.places.length && Date.now() - this.lostAt < SEEKING;
    const longest = seeking ? SEEKING_RETRY : LAST_RETRY;
    let pause = Math.min(FIRST_RETRY * 2 ** this.retries, longest) * (0.5 + Math.random() / 2);
    const atOnce = why === "moved" || why === "going";
    if (atOnce || (this.admitted && this.where.failed())) pause = 0;
    else this.retries += 1;
    this.timers.retry = setTimeout(() => this.open(), document.hidden && !atOnce ? HIDDEN_RETRY : pause);
    this.ui.disconnected(why, this.lostAt);
  }

  limit(time) {
    clearTimeout(this.timers.limit);
    this.timers.limit = setTimeout(() => this.cut(), time);
  }

  send(message) {
    if (!this.connected && message.t !== "hello") return;
    this.saidAt = Date.now();
    this.channel.send(message);
  }

  receive(channel, list) {
    this.heardAt = Date.now();
    for (const message of list) {
      if (channel.over) return;
      this.take(message);
    }
  }

  take(message) {
    switch (message.t) {
      case "card":
        return this.takeCard(message);
      case "refused":
        return this.takeRefusal(message);
      case "welcome":
        return this.takeWelcome(message);
      case "ping":
        return this.channel.send({ t: "pong" });
      case "closing":
        return this.takeClosing(message);
    }
    if (!this.welcome) return; // nothing else has a place before the welcome
    switch (message.t) {
      case "heartbeat":
        return this.takeBeat(message.beat || 0);
      case "delegation": // of a host that had no record when it showed its card
        return this.takePapers(message);
      case "standbys":
        this.where.learn(message.places);
        return this.checkHanded();
      case "present":
        return this.takePresent(message);
      case "crowd":
        return this.takeCrowd(message.people || 0);
      case "said":
      case "joined":
      case "left":
      case "renamed":
      case "moved":
      case "topic":
      case "file_offered":
      case "file_stored":
      case "file_removed":
        return this.takeEvent(message);
      case "file_private":
        return this.ui.privateFile(message);
      case "file_ticket":
      case "file_refused":
      case "file_entry":
      case "file_end":
        return this.ui.file(message);
      case "page":
        return this.takePage(message);
      case "ack":
        return this.acknowledged(message.seq);
      case "told":
        return this.takeTold(message);
      case "pong":
        return this.showKept(Infinity);
      case "receipt":
        return this.takeReceipt(message);
      case "owner":
        return this.takeOwner(message);
      case "notice":
        return this.ui.notice(message.code, message.text);
    }
  }

  takeCard(card) {
    const first = !this.card || this.card.room !== card.room;
    if (first && this.admitted) return this.impostor();
    if (card.v !== VERSION) {
      this.stop();
      return this.ui.refused("version", "This page is of another version. Load it again.");
    }
    if (first && this.card) this.wanted = ""; // it was said of another room
    this.card = card;
    if (first) this.recall();
    const { hostKey } = this.shown;
    if (this.where.now.key && !sameBytes(this.where.now.key, hostKey)) return this.impostor();
    if (card.standby) return this.absent(); // it hosts nothing
    try {
      this.papers = this.papers.accept(card, hostKey, Date.now());
    } catch (error) {
      console.warn(String(error));
      return this.impostor();
    }
    if (!this.wanted) {
      this.channel.close();
      clearTimeout(this.timers.limit);
      return this.ui.opened(card, this.memory.nick || "");
    }
    if (card.password && !this.ticket) {
      this.stop();
      return this.ui.refused("password", "");
    }
    this.limit(WELCOME_LIMIT);
    this.hello();
  }

  // What this browser knows of the room.
  recall() {
    if (this.card.ephemeral) this.store = new Storage(() => sessionStorage); // nothing of this room shall stay
    const fits = this.handed && this.handed.room === this.card.room && this.card.term; // else no page of it is elsewhere
    const handed = fits ? this.handed : null;
    this.memory = handed ? handed.memory : this.store.get(`lanchat room ${this.card.room}`) || {};
    if (handed) this.wanted = this.memory.nick;
    else this.handed = null;
    const known = this.memory.seed && this.memory.owner;
    this.papers = known ? Papers.kept(this.card.room, this.memory) : Papers.first(this.card, this.shown.hostKey);
    this.seed = this.memory.seed ? fromBase64(this.memory.seed) : random(32);
    this.sealer = new Sealer(this.seed, this.card.room);
    this.history = new PrivateHistory(this.store, this.card.room);
    this.me.id = memberId(this.sealer.public);
    for (const id of this.unacked.keys()) this.ui.gone(id); // they are for another room
    this.unacked.clear();
    for (const message of this.store.get(`lanchat unsent ${this.card.room}`) || []) {
      this.unacked.set(message.id, { ...message, seq: 0, again: true });
      this.ui.waiting(message);
    }
  }

  hello() {
    const { hostKey, binding } = this.shown;
    this.timeline = Timeline.of(this.card);
    this.after = this.positions.common(this.timeline);
    const nonce = random(32);
    const proof = joinFields(
      "lanchat member proof",
      String(VERSION),
      this.card.room,
      binding,
      fromBase64(this.card.nonce),
      nonce,
      this.sealer.public,
      hostKey,
      this.wanted,
    );
    const hello = {
      t: "hello",
      v: VERSION,
      nick: this.wanted,
      key: base64(this.sealer.public),
      nonce: base64(nonce),
      proof: base64(noble.ed25519.sign(proof, this.seed)),
      after: this.after,
    };
    if (this.ticket) {
      const bound = joinFields("lanchat guest ticket", binding, this.sealer.public);
      hello.ticket = base64(noble.hmac(noble.sha256, this.ticket, bound));
    }
    this.welcome = null;
    this.send(hello);
  }

  takePapers({ paper, term }) {
    const [list, record] = [paper, term].map((one) => (one ? fromBase64(one) : null));
    this.papers = this.papers.renewed(list, record, this.hostKey, Date.now());
    if (term) this.timeline = Timeline.of({ term });
    this.remember();
  }

  takeRefusal(refused) {
    this.stop();
    this.ui.refused(refused.code, refused.text, refused.suggestion || "", refused.owned === true);
  }

  takeClosing(closing) {
    if (closing.code === "moved" && this.where.moved(closing.to)) {
      this.channel.close();
      return this.lost("moved");
    }
    this.stop();
    this.ui.closed(closing.code, closing.text);
  }

  // Goes on at this person's host of the room. Returns false if that cannot be; a guest link is for one host alone.
  goTo(nick) {
    if (!this.connected || this.ticket || !this.where.turnTo(nick)) return false;
    this.channel.close();
    this.lost("going");
    return true;
  }

  impostor() {
    this.channel.close();
    this.lost(this.where.now === this.where.host ? "impostor" : "lost");
  }

  absent() {
    this.channel.close();
    this.lost("lost");
  }

  stop() {
    this.final = true;
    this.connected = false;
    clearTimeout(this.timers.limit);
    clearInterval(this.timers.alive);
    this.channel.close();
  }

  takeWelcome(welcome) {
    if (!this.wanted) return;
    if (welcome.id !== this.me.id) throw new Error("The host says that you have another key than yours.");
    clearTimeout(this.timers.limit);
    this.welcome = welcome;
    this.hostKey = this.shown.hostKey;
    this.hostId = memberId(this.hostKey);
    this.wanted = this.me.nick = welcome.nick;
    this.where.admitted();
    this.beat = this.beatAt = 0;
    this.remember();
    this.retries = 0;
    this.lostAt = 0;
    this.people.clear();
    this.crowd = welcome.crowd || 0; // people, of whom few are listed; 0: all are
    this.keys.set(this.me.id, this.sealer.public);
    this.positions.set(Math.min(this.after, welcome.seq));
    this.gapUntil = welcome.since || 0;
    this.later = [];
    const again = this.admitted;
    this.admitted = this.connected = true;
    this.ui.joined(again);
    if (!again) this.recallPrivate();
    if (this.kept.length) this.send({ t: "ping" }); // the answer comes after all of the past
    if (this.gapUntil) this.send({ t: "fetch", after: Math.max(0, this.seq) });
    this.sayAgain();
    this.resend();
    clearInterval(this.timers.alive);
    this.timers.alive = setInterval(() => this.check(), 1000);
    this.heardAt = this.saidAt = Date.now();
    if (!welcome.people) this.ui.people();
  }

  // The host is alive. How late its signs of life are says after which silence it counts as lost.
  takeBeat(beat) {
    const now = Date.now();
    const late = this.beat && this.beatAt ? Math.max(0, now - this.beatAt - this.beat) : 0;
    this.late = Math.max(late, (this.late || 0) * 0.97); // half of it after a quiet half minute
    this.beat = beat;
    this.beatAt = now;
  }

  get deadAfter() {
    return this.beat ? Math.min(Math.max(BEAT_DEAD, 1000 + 4 * this.late), DEAD_AFTER) : DEAD_AFTER;
  }

  // Look for silence. No timer runs reliably while the page is hidden, so a long pause proves nothing.
  check() {
    const now = Date.now();
    const slept = now - (this.checkedAt || now) > 5000;
    this.checkedAt = now;
    if (slept || !this.connected) return;
    const ping = Math.min(PING_AFTER, this.deadAfter / 2);
    if (now - this.heardAt > this.deadAfter) this.cut();
    else if (now - this.heardAt > ping || now - this.saidAt > PING_AFTER) this.send({ t: "ping" });
  }

  // ---- people

  takePresent(present) {
    this.checkHost(present.id, present.host);
    this.enter(present.id, present.nick, present.host, present.key, present.web);
    this.ui.people();
  }

  // There are so many people that nobody hears who comes and goes; or the crowd is over, and everybody is listed now.
  takeCrowd(people) {
    for (const [name, person] of this.people) {
      if (!people || (!this.crowd && person.id !== this.me.id && !person.host)) this.people.delete(name);
    }
    this.crowd = people;
    this.ui.people();
  }

  // Of a crowd those are listed who spoke last.
  spoke(id, nick) {
    const name = `${id} ${nick}`;
    const person = this.people.get(name) || { id, nick, host: id === this.hostId, web: false };
    this.people.delete(name);
    this.people.set(name, person);
    const first = [...this.people].find(([, one]) => one.id !== this.me.id && !one.host);
    if (first && this.people.size > MAX_SPEAKERS) this.people.delete(first[0]);
    this.ui.people();
  }

  checkHost(id, host) {
    if (Boolean(host) !== (id === this.hostId)) throw new Error("The host claims to have another key than it showed.");
  }

  enter(id, nick, host, key, web) {
    const name = `${id} ${nick}`;
    if (this.people.size >= MAX_PEOPLE && !this.people.has(name)) throw new Error("The host tells of too many people.");
    this.people.set(name, { id, nick, host: Boolean(host), web: Boolean(web) });
    if (!key) return;
    const raw = fromBase64(key);
    if (memberId(raw) !== id) return;
    this.keys.delete(id);
    this.keys.set(id, raw);
    if (this.keys.size > MAX_KEYS) this.keys.delete(this.keys.keys().next().value);
  }

  fingerprint(id) {
    return this.keys.has(id) ? fingerprintOf(this.keys.get(id)) : "";
  }

  // ---- events: each once, without a gap

  takeEvent(event) {
    if (event.t === "said" && event.by === this.me.id) this.heard(event);
    if (this.handed || (this.gapUntil && event.seq > this.gapUntil)) return this.takeLater(event);
    if (event.seq <= this.seq) return;
    this.positions.advance(event.seq, this.timeline);
    const past = event.seq <= this.welcome.seq;
    this.showKept(past ? event.at : Infinity);
    if (event.t !== "said") return this.happened(event, past);
    if (this.crowd && !past) this.spoke(event.by, event.nick);
    if (!event.by.startsWith("~") && !this.isFirst(this.known, event)) return;
    this.ui.said(event, past, event.by === this.me.id);
  }

  takeLater(message) {
    if (this.later.length >= MAX_LATER) return this.cut();
    this.later.push(message);
  }

  takeWaiting() {
    const later = this.later;
    this.later = [];
    for (const message of later) this.take(message);
  }

  happened(event, past) {
    if (!past) {
      if (event.t === "joined") {
        this.checkHost(event.by, event.host);
        this.enter(event.by, event.nick, event.host, event.key, event.web);
      } else if (event.t === "left") {
        this.people.delete(`${event.by} ${event.nick}`);
      } else if (event.t === "renamed") {
        const person = this.people.get(`${event.by} ${event.nick}`);
        this.people.delete(`${event.by} ${event.nick}`);
        if (person) this.people.set(`${event.by} ${event.to}`, { ...person, nick: event.to });
        if (event.by === this.me.id && event.nick === this.me.nick) this.renamed(event.to);
      }
      this.ui.people();
    }
    this.ui.happened(event, past);
  }

  renamed(nick) {
    this.wanted = this.me.nick = nick;
    this.remember();
  }

  // Keeps our key, our nick and the papers for the next time. What was handed over has to be checked before.
  remember() {
    this.memory = { seed: base64(this.seed), nick: this.me.nick, ...this.papers.toKeep };
    if (!this.handed) this.store.set(`lanchat room ${this.card.room}`, this.memory);
  }

  // The page of another computer hands over what it knows of the room.
  adopt(handed) {
    if (this.wanted) return; // somebody joins already
    this.handed = handed;
    if (handed.ticket) this.ticket = fromBase64Url(handed.ticket);
    this.card = null;
    this.open();
  }

  // The host has told where the room may be: only a page from there may hand over anything.
  checkHanded() {
    const { handed } = this;
    if (!handed) return;
    if (!this.where.has(handed.from)) {
      this.stop();
      return this.ui.refused("handed", "This tab was opened by a page that is not of this room. Load it again to join.");
    }
    this.handed = null;
    this.remember();
    for (const message of handed.unsent) {
      if (this.unacked.has(message.id)) continue;
      this.unacked.set(message.id, { ...message, seq: 0, again: true });
      this.ui.waiting(message);
    }
    this.saveUnsent();
    this.resend();
    for (const told of handed.kept) this.history.keep(told);
    this.recallPrivate();
    if (this.kept.length) this.send({ t: "ping" });
    this.takeWaiting();
    this.ui.handed(handed);
  }

  // What the page of another computer gets to go on with.
  get toHandOver() {
    return { room: this.card.room, memory: this.memory, unsent: this.unsent, kept: this.history.all };
  }

  takePage(page) {
    if (page.upto < this.gapUntil && page.upto < END_OF_LOG) return this.send({ t: "fetch", after: page.upto });
    this.gapUntil = 0;
    this.takeWaiting();
  }

  isFirst(known, message) {
    const key = `${message.by} ${message.id}`;
    if (known.has(key)) return false;
    known.add(key);
    if (known.size > MAX_KNOWN) known.delete(known.values().next().value);
    return true;
  }

  // ---- private messages

  // What was kept of them is shown again between the messages of the past, by the host's times. The host sends again what
  // it does not know to be seen: that was kept, perhaps, and is confirmed only.
  recallPrivate() {
    this.kept = this.history.all;
    for (const told of this.kept) this.isFirst(this.knownPrivate, told);
  }

  // Those that are older than what comes now.
  showKept(at) {
    while (!this.handed && this.kept.length && this.kept[0].at <= at) this.ui.told(this.kept.shift(), true);
  }

  takeTold(told) {
    if (this.handed) return this.takeLater(told);
    const own = told.by === this.me.id;
    if (own) this.answered(told.id);
    this.showKept(Infinity); // it comes after the past
    if (!this.isFirst(this.knownPrivate, told)) {
      if (!own) this.ui.toldAgain(told);
      return;
    }
    let text = told.text || "";
    let problem = "";
    const guest = told.by.startsWith("~") || told.to.startsWith("~");
    if (told.box) {
      try {
        text = this.sealer.open(told.by, told.to, told.id, fromBase64(told.box));
      } catch (error) {
        problem = error instanceof CannotOpen ? error.message : "damaged";
      }
    } else if (!guest) {
      problem = "not sealed";
    }
    const shown = { ...told, text, problem, own, open: guest };
    if (problem) return this.ui.told(shown);
    if (own || guest) this.history.keep(shown); // no host sends it again
    else this.waitToBeSeen(shown);
    this.ui.told(shown);
  }

  waitToBeSeen(told) {
    this.unseen.set(`${told.by} ${told.id}`, told);
    if (this.unseen.size > MAX_KEPT) this.unseen.delete(this.unseen.keys().next().value); // it would not be kept either
  }

  takeReceipt(receipt) {
    const message = this.unacked.get(receipt.id);
    if (!message) return;
    this.unacked.delete(receipt.id);
    this.saveUnsent();
    this.answered(receipt.id);
    this.ui.receipt(message, receipt.code, receipt.text || "");
  }

  takeOwner(owner) {
    const message = this.unacked.get(owner.id);
    if (!message || !message.ask || (message.to && message.to !== owner.to)) return;
    const key = fromBase64(owner.key || "");
    if (memberId(key) !== owner.to) return this.takeReceipt({ id: owner.id, code: "refused", text: "The host showed a key that does not fit." });
    this.keys.set(owner.to, key);
    if (!message.to) {
      const shown = grouped(fingerprintOf(key));
      this.ui.notice("key", `The host says that this is the fingerprint of ${safeNick(owner.nick)}: ${shown}. Your message is sealed to it.`);
    }
    Object.assign(message, { to: owner.to, nick: owner.nick, key: base64(key), ask: false });
    this.saveUnsent();
    this.transmit(message);
  }

  // ---- what we say

  newId() {
    this.number += 1;
    return `${this.prefix}-${this.number}`;
  }

  add(message) {
    if (this.unacked.size >= MAX_UNSENT) throw new Error(`${MAX_UNSENT} messages wait already.`);
    this.unacked.set(message.id, { ...message, seq: 0 });
    this.saveUnsent();
    this.ui.waiting(message);
    if (!this.connected) return;
    if (this.queue.length) this.queue.push(message.id);
    else this.transmit(this.unacked.get(message.id));
  }

  get unsent() {
    return [...this.unacked.values()].map(({ seq, again, ...message }) => message);
  }

  saveUnsent() {
    this.store.set(`lanchat unsent ${this.card.room}`, this.unacked.size ? this.unsent : null);
  }

  // What an earlier host had acknowledged and this one lacks, because it hosted the room apart from that one.
  sayAgain() {
    const before = [...this.unacked.values()];
    const lacking = this.own.take(this.timeline);
    if (!lacking.length) return;
    this.unacked = new Map([...lacking, ...before].map((message) => [message.id, message]));
    this.saveUnsent();
  }

  resend() {
    this.queue = [...this.unacked.keys()];
    this.underWay.clear();
    for (const message of this.unacked.values()) Object.assign(message, { seq: 0, again: true });
    this.next();
  }

  next() {
    while (this.queue.length && this.underWay.size < WINDOW) {
      const message = this.unacked.get(this.queue.shift());
      if (!message) continue;
      this.underWay.add(message.id);
      this.transmit(message);
    }
  }

  answered(id) {
    this.underWay.delete(id);
    this.next();
  }

  transmit(message) {
    const { id, text } = message;
    if (message.kind === "say") {
      const say = { t: "say", id, text };
      if (message.action) say.action = true;
      if (message.again) Object.assign(say, { again: true, at: message.at || 0 });
      return this.send(say);
    }
    const { to, nick } = message;
    if (message.ask) return this.send({ t: "who", id, to, nick });
    if (message.open) return this.send({ t: "tell", id, to, nick, text });
    try {
      const { box, copy } = this.sealer.seal(fromBase64(message.key), id, text);
      this.send({ t: "tell", id, to, nick, box: base64(box), copy: base64(copy) });
    } catch {
      this.takeReceipt({ id, code: "refused", text: "Nothing can be sealed to this key." });
    }
  }

  heard(said) {
    this.own.heard(said);
    const message = this.unacked.get(said.id);
    if (!message) return;
    message.seq = said.seq;
    this.answered(said.id);
    this.ui.heard(said.id);
  }

  acknowledged(seq) {
    let changed = false;
    for (const [id, message] of this.unacked) {
      if (message.seq > 0 && message.seq <= seq) {
        this.unacked.delete(id);
        if (message.kind === "say") this.own.keep(message);
        changed = true;
      }
    }
    if (changed) this.saveUnsent();
  }
}
