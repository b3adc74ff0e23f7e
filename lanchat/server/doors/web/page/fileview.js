// What the page shows of files: a card in the messages for each, the same in the list, and a row while one is sent.

const SHOWN_EVERY = 200; // ms between two changes of a number that runs

function percent(progress) {
  return progress.size ? Math.floor((100 * progress.done) / progress.size) : 100;
}

// A name that no file system takes for anything else.
function savedName(name) {
  return safeText(name).replace(/[<>:"/\\|?*]/g, "_").replace(/^\.+/, "_") || "file";
}

function save(blob, name) {
  const link = make("a", "", "", { href: URL.createObjectURL(blob), download: savedName(name) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// Calls `show` soon, and not more often than anybody can read.
function seldom(show) {
  let waits = null;
  return () => {
    if (waits === null) {
      waits = setTimeout(() => {
        waits = null;
        show();
      }, SHOWN_EVERY);
    }
  };
}

class FileView {
  constructor(view) {
    this.view = view;
    this.files = new Files(view.room, this);
    this.cards = new WeakMap(); // functions that show a file again, by the file; those of a forgotten one go with it
    this.rows = new Map(); // of what we send, by id
    this.staged = [];
    this.wire();
  }

  // ---- what we send

  sending(sending) {
    const bar = make("progress", "", "", { max: "1", "aria-label": `Sending ${safeText(sending.name)}` });
    const state = make("span", "secondary", "waiting");
    const cancel = make("button", "quiet", "Cancel", { type: "button", "aria-label": `Cancel sending ${safeText(sending.name)}` });
    cancel.addEventListener("click", () => this.files.cancel(sending));
    const row = make("div", "transfer", [make("bdi", "name", safeText(sending.name)), state, cancel, bar]);
    const began = Date.now();
    const moved = seldom(() => {
      const { progress } = sending;
      const seconds = (Date.now() - began) / 1000;
      bar.value = progress.size ? progress.done / progress.size : 1;
      state.textContent = `${percent(progress)} %, ${sizeText(progress.done / Math.max(seconds, 0.1))}/s`;
    });
    this.rows.set(sending.id, { row, moved });
    find("transfers").append(row);
  }

  sendingMoved(sending) {
    const shown = this.rows.get(sending.id);
    if (shown) shown.moved();
  }

  sent(sending, result, text = "") {
    const shown = this.rows.get(sending.id);
    if (shown) shown.row.remove();
    this.rows.delete(sending.id);
    const name = safeText(sending.name);
    if (result === "stored") announce(`${name} has been sent.`);
    if (result === "refused") this.note(`${name}: ${text}`);
  }

  // ---- what is there

  // The card of a file; it shows what becomes of it.
  card(file, inList) {
    const name = make("bdi", "name", safeText(file.name));
    const state = make("span", "secondary");
    const bar = make("progress", "", "", { max: "1", "aria-label": `Fetching ${safeText(file.name)}` });
    const actions = make("div", "actions");
    const about = make("div", "about", [name, state]);
    const card = make("div", "file", [make("div", "line", [about, actions]), bar]);
    const show = () => {
      state.textContent = this.stateText(file, inList);
      bar.hidden = !file.fetching;
      bar.value = file.fetching && file.wire ? file.fetching.progress.done / file.wire : 0;
      const wanted = this.actions(file, inList, card.querySelector("img") !== null);
      if (actions.dataset.now === wanted.map(([label]) => label).join()) return;
      const focused = actions.contains(document.activeElement);
      actions.dataset.now = wanted.map(([label]) => label).join();
      actions.replaceChildren(...wanted.map(([label, act]) => this.button(label, file, () => act(card))));
      if (focused && actions.firstElementChild) actions.firstElementChild.focus();
    };
    show();
    const shown = this.cards.get(file) || [];
    this.cards.set(file, [...shown.filter((other) => other.card.isConnected), { card, show, moved: seldom(show) }]);
    if (!inList && file.blob) this.picture(card, file, false);
    return card;
  }

  button(label, file, act) {
    const button = make("button", "", label, { type: "button", "aria-label": `${label} ${safeText(file.name)}` });
    button.addEventListener("click", act);
    return button;
  }

  actions(file, inList, shown) {
    if (file.state === "gone") return [];
    if (file.fetching) return [["Cancel", () => this.files.stop(file)]];
    const actions = [];
    if (mayBePicture(file) && !shown) actions.push(["Show", (card) => this.show(card, file)]);
    actions.push(["Save", () => this.save(file)]);
    if (inList && file.by === this.view.room.me.id) actions.push(["Remove", () => this.files.remove(file)]);
    return actions;
  }

  save(file) {
    const fetch = () => this.files.fetch(file, (blob) => save(blob, file.name));
    if (!this.files.hasAddress(file)) return fetch();
    return this.files.address(file, (path) => location.assign(path), fetch); // it is an attachment
  }

  stateText(file, inList) {
    const parts = [sizeText(file.size)];
    if (inList) parts.push(shownNick(file.by, file.nick));
    if (inList && file.to) parts.push(file.to === this.view.room.me.id ? "for you only" : `for ${safeNick(file.toNick)} only`);
    if (inList) parts.push(clockText(new Date(file.at)));
    if (file.fetching) parts.push(`${percent(file.fetching.progress)} %`);
    else if (file.state === "sending") parts.push("still being sent");
    else if (file.state === "gone") parts.push(file.reason);
    return parts.join(", ");
  }

  changed(file) {
    for (const { show } of this.cards.get(file) || []) show();
    if (file.blob && file.by === this.view.room.me.id) {
      for (const { card } of this.cards.get(file) || []) if (!card.closest("dialog")) this.picture(card, file, false);
    }
  }

  moved(file) {
    for (const { moved } of this.cards.get(file) || []) moved();
  }

  note(text) {
    this.view.log.add(() => this.view.log.note(text, true), false);
  }

  show(card, file) {
    this.files.fetch(file, () => this.picture(card, file, true));
  }

  // A picture is one by its bytes, and is drawn as one: never as a document.
  async picture(card, file, asked) {
    if (card.querySelector("img") || !mayBePicture(file)) return;
    const start = new Uint8Array(await file.blob.slice(0, 16).arrayBuffer());
    const type = pictureType(start);
    if (!type) return asked && this.note(`${safeText(file.name)} is not a picture. Save it instead.`);
    if (card.querySelector("img")) return;
    const url = URL.createObjectURL(new Blob([file.blob], { type }));
    const image = make("img", "", "", { alt: safeText(file.name), src: url });
    image.addEventListener("load", () => URL.revokeObjectURL(url));
    image.addEventListener("error", () => {
      URL.revokeObjectURL(url);
      image.remove();
      if (asked) this.note(`${safeText(file.name)} cannot be shown. Save it instead.`);
    });
    card.append(image);
    this.changed(file);
  }

  // Newcomers are told of the messages before them, but not of the files.
  tellNewcomer() {
    const seen = this.files.known.size;
    this.files.list(() => {
      const number = this.there().length;
      if (!number || seen) return;
      const show = make("button", "quiet", "Show", { type: "button", "aria-label": "Show the files of this room" });
      show.addEventListener("click", () => this.list());
      const words = make("span", "", `${counted(number, "file is", "files are")} in this room.`);
      this.view.log.add(() => make("div", "note files-here", [words, show]), false);
    });
  }

  there() {
    return [...this.files.known.values()].filter((file) => file.state !== "gone").reverse();
  }

  list() {
    const box = find("files-list");
    box.replaceChildren(make("li", "secondary", "Asking the host ..."));
    this.view.openDialog("files");
    this.files.list(() => {
      const rows = this.there().map((file) => make("li", "", [this.card(file, true)]));
      box.replaceChildren(...(rows.length ? rows : [make("li", "secondary", "There are no files in this room.")]));
    });
  }

  // ---- what is chosen, dropped or pasted waits beside the message until it is sent

  stage(files) {
    this.view.problem("");
    for (const file of files) {
      try {
        if (this.view.to && this.view.to.id.startsWith("~")) throw new Error("This guest has no key, so no file can be sealed for them alone.");
        this.files.check(file);
        this.staged.push(file);
      } catch (error) {
        this.view.problem(error.message);
      }
    }
    this.showStaged();
  }

  showStaged() {
    const rows = this.staged.map((file) => {
      const drop = make("button", "quiet", "×", { type: "button", "aria-label": `Do not send ${safeText(file.name)}` });
      drop.addEventListener("click", () => {
        this.staged = this.staged.filter((other) => other !== file);
        this.showStaged();
        find("text").focus();
      });
      return make("li", "", [make("bdi", "name", safeText(file.name)), make("span", "secondary", sizeText(file.size)), drop]);
    });
    find("staged").replaceChildren(...rows);
    find("staged").hidden = !rows.length;
  }

  sendStaged() {
    const staged = this.staged.splice(0);
    this.showStaged();
    for (const file of staged) this.files.send(file, this.view.to);
    return staged.length > 0;
  }

  wire() {
    const chosen = find("chosen");
    find("clip").addEventListener("click", () => chosen.click());
    chosen.addEventListener("change", () => {
      this.stage(chosen.files);
      chosen.value = "";
      find("text").focus();
    });
    find("text").addEventListener("paste", (event) => {
      if (!event.clipboardData || !event.clipboardData.files.length) return;
      event.preventDefault();
      this.stage(event.clipboardData.files);
    });
    const room = find("room");
    const holdsFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
    document.addEventListener("dragover", (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault(); // else the browser would leave the page and open the file
      room.classList.toggle("dropping", !room.hidden && this.files.limit > 0);
    });
    document.addEventListener("dragleave", (event) => !event.relatedTarget && room.classList.remove("dropping"));
    document.addEventListener("drop", (event) => {
      room.classList.remove("dropping");
      if (!holdsFiles(event)) return;
      event.preventDefault();
      if (!room.hidden) this.stage(event.dataTransfer.files);
    });
    for (const button of document.querySelectorAll(".files-button")) button.addEventListener("click", () => this.list());
  }
}
