// The sealed channel: Noise_NX_25519_ChaChaPoly_SHA256 (revision 34), with this page as initiator, in a WebSocket.

const NOISE_NAME = utf8.encode("Noise_NX_25519_ChaChaPoly_SHA256"); // 32 bytes, so it is the first hash as it is
const NOISE_PROLOGUE = utf8.encode("lanchat web channel 1");
const TAG_SIZE = 16; // bytes
const SECOND_SIZE = 192; // bytes of the host's half of the handshake
const MAX_CONTENT = 16384; // bytes of lines in one frame; the host takes few bytes before it can open a frame
const MAX_LINE = 64 * 1024; // bytes; the host sends at most 16 KiB

class CipherState {
  constructor(key) {
    this.key = key;
    this.nonce = 0;
  }

  seal(plain, associated) {
    return noble.chacha20poly1305(this.key, this.nextNonce(), associated).encrypt(plain);
  }

  // Throws if somebody has changed, repeated, dropped or reordered frames.
  open(sealed, associated) {
    return noble.chacha20poly1305(this.key, this.nextNonce(), associated).decrypt(sealed);
  }

  nextNonce() {
    const nonce = new Uint8Array(12);
    const view = new DataView(nonce.buffer);
    view.setUint32(4, this.nonce >>> 0, true);
    view.setUint32(8, Math.floor(this.nonce / 2 ** 32), true);
    this.nonce += 1;
    return nonce;
  }
}

// RFC 5869 with an empty info: the first 64 bytes, as two keys.
function twoKeys(chainingKey, secret) {
  const both = noble.expand(noble.sha256, noble.extract(noble.sha256, secret, chainingKey), new Uint8Array(0), 64);
  return [both.slice(0, 32), both.slice(32)];
}

class Handshake {
  // `ephemeral` is the secret key of this connection, 32 random bytes.
  constructor(ephemeral) {
    this.ephemeral = ephemeral;
    this.hash = this.chainingKey = NOISE_NAME;
    this.mixHash(NOISE_PROLOGUE);
    this.frame = noble.x25519.getPublicKey(ephemeral); // frame 1
    this.mixHash(this.frame);
    this.mixHash(new Uint8Array(0));
  }

  // Takes frame 2. Returns the host's key, the binding and the two keys; throws if the host does not hold its key.
  finish(frame) {
    if (frame.length !== SECOND_SIZE) throw new Error("The host's half of the handshake has the wrong length.");
    const theirs = frame.slice(0, 32);
    this.mixHash(theirs);
    this.mixKey(noble.x25519.getSharedSecret(this.ephemeral, theirs)); // throws if the result is all zeros
    const fixed = this.decryptAndHash(frame.slice(32, 80));
    this.mixKey(noble.x25519.getSharedSecret(this.ephemeral, fixed));
    const before = this.hash;
    const words = this.decryptAndHash(frame.slice(80));
    const [hostKey, signature] = [words.slice(0, 32), words.slice(32)];
    const signed = joinFields("lanchat web host", before, fixed);
    if (!noble.ed25519.verify(signature, signed, hostKey, { zip215: false })) {
      throw new Error("The host does not hold the key that it shows.");
    }
    const [toHost, toPage] = twoKeys(this.chainingKey, new Uint8Array(0));
    return { hostKey, binding: this.hash, toHost: new CipherState(toHost), toPage: new CipherState(toPage) };
  }

  mixHash(data) {
    this.hash = noble.sha256(concat(this.hash, data));
  }

  mixKey(secret) {
    const [chainingKey, key] = twoKeys(this.chainingKey, secret);
    this.chainingKey = chainingKey;
    this.cipher = new CipherState(key);
  }

  decryptAndHash(sealed) {
    const plain = this.cipher.open(sealed, this.hash);
    this.mixHash(sealed);
    return plain;
  }
}

// One connection. `on.opened(hostKey, binding)`, `on.messages(list)` and, once and last, `on.ended(why)` are called;
// with `on.data(bytes)` the content is not looked at.
class Channel {
  constructor(url, on) {
    this.on = on;
    this.state = null; // what the handshake gave
    this.partial = new Uint8Array(0); // of a line
    this.over = false;
    const handshake = new Handshake(random(32));
    this.socket = new WebSocket(url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.socket.send(handshake.frame);
    this.socket.onclose = this.socket.onerror = () => this.end("lost");
    this.socket.onmessage = (event) => {
      if (this.over) return;
      try {
        const frame = new Uint8Array(event.data);
        if (this.state === null) {
          this.state = handshake.finish(frame);
          this.on.opened(this.state.hostKey, this.state.binding);
        } else {
          this.take(this.state.toPage.open(frame));
        }
      } catch (error) {
        this.end("broken", error);
      }
    };
  }

  send(message) {
    this.sendBytes(utf8.encode(JSON.stringify(message) + "\n"));
  }

  sendBytes(bytes) {
    if (this.over || this.state === null || this.socket.readyState !== WebSocket.OPEN) return;
    for (let at = 0; at < bytes.length; at += MAX_CONTENT) {
      this.socket.send(this.state.toHost.seal(bytes.subarray(at, at + MAX_CONTENT)));
    }
  }

  // Bytes that wait in the browser to be sent.
  get buffered() {
    return this.socket.bufferedAmount;
  }

  // Ends the connection; `on.ended` is not called any more.
  close() {
    this.over = true;
    this.socket.close();
  }

  take(content) {
    if (this.on.data) return this.on.data(content);
    const all = this.partial.length ? concat(this.partial, content) : content;
    const end = all.lastIndexOf(10) + 1;
    this.partial = all.slice(end);
    if (this.partial.length > MAX_LINE) throw new Error("The host sends a line without an end.");
    if (!end) return;
    const messages = [];
    for (const line of fromUtf8.decode(all.subarray(0, end)).split("\n")) {
      if (!line.trim()) continue;
      const message = JSON.parse(line);
      if (message === null || typeof message !== "object" || typeof message.t !== "string") {
        throw new Error("The host sends lines that are not messages.");
      }
      messages.push(message);
    }
    this.on.messages(messages);
  }

  end(why, error) {
    if (this.over) return;
    this.over = true;
    this.socket.close();
    if (error) console.warn(String(error));
    this.on.ended(why);
  }
}
