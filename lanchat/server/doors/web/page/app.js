// The page: brings the room, the view and the person together.

const HELP = "/msg NICK TEXT writes to one person, /me TEXT says what you do, /nick NICK changes your nick, /who lists who is here, /files shows the files.";

(() => {
  const view = new View();
  const where = new Whereabouts(location.host, location.protocol === "https:");
  const room = new Room(where, view, { ticket: takeTicket() });
  view.room = room;
  view.files = new FileView(view);

  // The ticket of a guest link stands in the fragment, which no browser sends. It stays for this tab alone.
  function takeTicket() {
    const tab = new Storage(() => sessionStorage);
    let text = location.hash.slice(1);
    if (text) {
      history.replaceState(null, "", location.pathname);
      tab.set("lanchat ticket", text);
    } else {
      text = tab.get("lanchat ticket") || "";
    }
    try {
      const bytes = fromBase64Url(text);
      return bytes.length === 16 ? bytes : null;
    } catch {
      return null;
    }
  }

  // ---- drafts

  const draftPrefix = () => `lanchat draft ${room.card.room} `;
  const draftName = () => draftPrefix() + (view.to ? view.to.id : "all");

  view.actions = {
    rename: (nick) => nick && room.rename(nick),
    keepDraft: () => room.card && room.store.set(draftName(), find("text").value || null),
    showDraft: () => {
      find("text").value = (room.card && room.store.get(draftName())) || "";
      view.fit();
    },

    // ---- from page to page, when another computer hosts the room

    openThere: (page) => {
      view.actions.keepDraft();
      const opened = handOver(page, collect, () => {
        room.leave();
        room.stop();
        view.movedOn();
      });
      if (!opened) view.problem(`Your browser did not open a tab. Open ${page} yourself; you are a new guest there.`);
    },
    adopt: ({ room: id, drafts, ticket }) => {
      for (const [to, text] of Object.entries(drafts)) room.store.set(`lanchat draft ${id} ${to}`, text);
      if (ticket) new Storage(() => sessionStorage).set("lanchat ticket", ticket);
    },
  };

  function collect() {
    const names = room.store.names(draftPrefix());
    const drafts = Object.fromEntries(names.map((name) => [name.slice(draftPrefix().length), room.store.get(name) || ""]));
    return { ...room.toHandOver, drafts, ticket: new Storage(() => sessionStorage).get("lanchat ticket") || "" };
  }

  // ---- what is typed

  function carryOut(text) {
    const [first, rest] = [text.split(/\s/, 1)[0], text.slice(text.split(/\s/, 1)[0].length).trim()];
    if (!text.startsWith("/") || text.startsWith("//") || (text.includes("\n") && !/^\/(msg|me)$/.test(first))) {
      const said = text.startsWith("//") ? text.slice(1) : text;
      if (view.to) room.tell(view.to, said);
      else room.say(said);
      return;
    }
    switch (first.toLowerCase()) {
      case "/me":
        return room.say(rest, true);
      case "/nick":
        if (!rest) throw new Error("Which nick? /nick NICK");
        return room.rename(rest);
      case "/msg": {
        const [nick] = rest.split(/\s/, 1);
        const said = rest.slice(nick.length).trim();
        if (!said) throw new Error("To whom, and what? /msg NICK TEXT");
        const person = room.called(nick);
        if (!person && nick.startsWith("~")) throw new Error(`${safeNick(nick.slice(1))} is not here.`);
        return person ? room.tell(person, said) : room.tellNick(nick, said);
      }
      case "/who":
      case "/names":
        return view.tellWho();
      case "/files":
        return view.files.list();
      case "/help":
        return view.log.add(() => view.log.note(HELP, true), false);
      default:
        throw new Error(`There is no command ${safeText(first)} on this page. To say it, type /${safeText(first)}.`);
    }
  }

  function accept() {
    const text = find("text").value;
    if (!text.trim() && !view.files.staged.length) return;
    try {
      if (room.final) throw new Error("You are not in the room any more.");
      if (text.trim()) carryOut(text);
      view.files.sendStaged();
    } catch (error) {
      view.problem(error.message);
      return;
    }
    view.problem("");
    find("text").value = "";
    view.actions.keepDraft();
    view.fit();
    view.log.toEnd();
  }

  find("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    accept();
    find("text").focus();
  });
  find("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      accept();
    } else if (event.key === "Escape" && view.to) {
      view.writeTo(null);
    }
  });
  let draft;
  find("text").addEventListener("input", () => {
    view.fit();
    view.problem("");
    clearTimeout(draft);
    draft = setTimeout(view.actions.keepDraft, 300);
  });

  // ---- coming in

  const tab = new Storage(() => sessionStorage);
  // A tab begins with a copy of what the one that has opened it had kept, also for this address if it was here before.
  const isNew = window.opener && performance.getEntriesByType("navigation")[0]?.type === "navigate";
  if (isNew) for (const name of ["lanchat in", "lanchat adopted"]) tab.set(name, null);
  const opened = view.opened.bind(view);
  view.opened = (card, nick) => {
    opened(card, nick);
    if (card.password && !room.ticket) return view.refused("password", "");
    if (tab.get("lanchat in") === card.room && nick) room.join(nick); // the page was loaded again
  };
  const joined = view.joined.bind(view);
  view.joined = (again) => {
    tab.set("lanchat in", room.card.room);
    joined(again);
    if (!again) view.actions.showDraft();
  };
  find("join").addEventListener("submit", (event) => {
    event.preventDefault();
    const nick = find("nick").value.trim();
    if (!nick) return;
    find("door-error").textContent = "";
    room.join(nick);
  });
  find("again").addEventListener("click", () => location.reload());
  find("bar-button").addEventListener("click", () => {
    view.showBar("Connecting ...", false);
    room.join(room.me.nick);
  });

  // ---- sleep, sight and keys

  const wake = () => document.hidden || room.awake();
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("pageshow", wake);
  window.addEventListener("online", wake);
  window.addEventListener("pagehide", (event) => {
    view.actions.keepDraft();
    if (!event.persisted) room.leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F6" || find("room").hidden) return;
    event.preventDefault();
    const stops = [find("log"), document.querySelector("#side button"), find("people-button"), find("text")];
    const there = stops.filter((stop) => stop && stop.offsetParent !== null);
    const at = there.findIndex((stop) => stop === document.activeElement || stop.closest("aside")?.contains(document.activeElement));
    there[(at + (event.shiftKey ? there.length - 1 : 1)) % there.length].focus();
  });

  // The keyboard of an iPhone lies over the page and moves it; the room takes what is left in view.
  const seen = window.visualViewport;
  const fitIn = () => {
    const covered = seen.scale === 1 && window.innerHeight - seen.height > 80;
    find("room").style.height = covered ? `${seen.height}px` : "";
    if (covered) window.scrollTo(0, 0);
  };
  if (seen) seen.addEventListener("resize", fitIn);

  if (history.state === "sheet") history.replaceState(null, ""); // of a page that was loaded again
  view.showDoor();
  room.open();
  if (!tab.get("lanchat adopted")) {
    awaitHandOver((handed) => {
      tab.set("lanchat adopted", true); // loaded again, this page knows by itself, or is not to be asked once more
      room.adopt(handed);
    });
  }
})();
