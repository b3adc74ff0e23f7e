// One attempt to move a file: a sealed channel of its own that begins with a ticket, then lines and raw bytes.

const TRANSFER_VERSION = 1;
const MAX_TRANSFER_LINE = 1024; // bytes
const PIECE = 128 * 1024; // bytes that are read and hashed at a time: some milliseconds on a phone
const MAX_BUFFERED = 1024 * 1024; // bytes that wait in the browser to be sent
const TRANSFER_STALL = 30000; // ms without a byte

// What has come of a file so far, or has been read of one to be sent. It outlives a cut link.
class Progress {
  constructor(size) {
    this.size = size;
    this.restart(0);
  }

  restart(take) {
    this.take = take;
    this.done = 0; // bytes
    this.parts = [];
    this.digest = noble.sha256.create();
  }

  add(bytes, keep) {
    this.digest.update(bytes);
    this.done += bytes.length;
    if (keep) this.parts.push(bytes);
    if (this.parts.length > 256) this.parts = [new Blob(this.parts)]; // out of the memory of the program
  }

  get sum() {
    return hex(this.digest.clone().digest());
  }
}

// `on.moved()` is called for each piece, and once and last `on.ended(code, text)`: "done", "lost", or a refusal.
class TransferLink {
  // `source`: what is sent, or null to fetch.
  constructor(url, hostKey, ticket, progress, source, on) {
    this.progress = progress;
    this.source = source;
    this.on = on;
    this.over = false;
    this.buffer = new Uint8Array(0);
    this.raw = 0; // bytes of the file that come next
    this.begun = false;
    this.channel = new Channel(url, {
      opened: (key) => {
        if (!sameBytes(key, hostKey)) throw new Error("Another host answers.");
      },
      data: (bytes) => this.feed(bytes),
      ended: () => this.end("lost", "The connection was lost."),
    });
    this.ticket = ticket;
    this.stir();
  }

  cancel() {
    this.end("cancelled", "");
  }

  end(code, text) {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.stall);
    this.channel.close();
    this.on.ended(code, text);
  }

  // A sign of life.
  stir() {
    clearTimeout(this.stall);
    this.stall = setTimeout(() => this.end("lost", "Nothing has moved for a while."), TRANSFER_STALL);
  }

  feed(bytes) {
    this.stir();
    while (bytes.length && !this.over) {
      if (this.raw) {
        const piece = bytes.subarray(0, this.raw);
        bytes = bytes.subarray(piece.length);
        this.raw -= piece.length;
        this.progress.add(piece.slice(), true);
        this.on.moved();
        continue;
      }
      const end = bytes.indexOf(10) + 1;
      this.buffer = concat(this.buffer, end ? bytes.subarray(0, end) : bytes);
      bytes = end ? bytes.subarray(end) : new Uint8Array(0);
      if (this.begun && this.buffer.length > MAX_TRANSFER_LINE) throw new Error("The host sends a line that is too long.");
      if (this.buffer.length > MAX_LINE) throw new Error("The host sends a line without an end.");
      if (!end) return;
      const line = JSON.parse(fromUtf8.decode(this.buffer));
      this.buffer = new Uint8Array(0);
      this.take(line);
    }
  }

  take(line) {
    const { progress } = this;
    switch (line.t) {
      case "card": {
        if (this.begun) return;
        this.begun = true;
        const opening = { t: "transfer", v: TRANSFER_VERSION, ticket: this.ticket };
        if (!this.source) Object.assign(opening, { at: progress.done, take: progress.take });
        return this.channel.send(opening);
      }
      case "have":
        if (this.source) this.upload(line).catch((error) => this.end("changed", String(error.message)));
        return;
      case "go":
        if (this.source) return;
        if (line.at !== progress.done || line.take !== progress.take) {
          if (line.at !== 0) throw new Error("The host continues the file at another byte than this page.");
          progress.restart(line.take);
        }
        progress.take = line.take;
        this.raw = progress.size - line.at;
        return;
      case "sum":
        if (this.source || progress.done !== progress.size) return;
        if (line.sha256 === progress.sum) return this.end("done", "");
        progress.restart(0);
        return this.end("damaged", "The file arrived damaged.");
      case "done":
        return this.end("done", "");
      case "refused":
        return this.end(line.code, safeText(line.text));
      case "ping":
        return this.channel.send({ t: "pong" });
    }
  }

  // Send what the host does not have.
  async upload(have) {
    const { progress } = this;
    progress.restart(have.take);
    while (progress.done < have.at && !this.over) await this.read(false, have.at);
    if (this.over) return;
    const fits = progress.done === 0 || progress.sum === have.sha256;
    if (!fits) progress.restart(have.take);
    this.channel.send({ t: "go", at: progress.done });
    while (progress.done < progress.size && !this.over) {
      await this.read(true, progress.size);
      while (!this.over && this.channel.buffered > MAX_BUFFERED) await new Promise((go) => setTimeout(go, 10));
    }
    if (this.over) return;
    if (!this.source.unchanged) throw new Error("The file has changed meanwhile.");
    this.channel.send({ t: "sum", sha256: progress.sum });
  }

  async read(send, end) {
    const { progress } = this;
    const bytes = await this.source.read(progress.done, Math.min(progress.done + PIECE, end));
    if (this.over) return;
    if (!bytes.length) throw new Error("The file has changed meanwhile.");
    progress.add(bytes, false);
    if (send) this.channel.sendBytes(bytes);
    this.stir();
    this.on.moved();
  }
}
