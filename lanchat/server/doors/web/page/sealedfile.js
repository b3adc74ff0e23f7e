// A file for one person: its offer, and its bytes, sealed piece by piece. The host stores what it cannot read. The
// rules are those of protocol/sealed_file.py.

const SEALED_PIECE = 64 * 1024; // bytes of a whole piece, as the host stores it
const PLAIN_PIECE = SEALED_PIECE - TAG_SIZE; // bytes of the file in it
const OFFER_HEAD = 72; // bytes before the name: file key, SHA-256, size

// An empty file has one piece, which proves that it is empty.
function pieceCount(size) {
  return Math.max(1, Math.ceil(size / PLAIN_PIECE));
}

function sealedSize(size) {
  return size + TAG_SIZE * pieceCount(size);
}

// A key must never seal two different pieces with one number.
function pieceCipher(key, number, size) {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, number);
  nonce[11] = number === pieceCount(size) - 1 ? 1 : 0;
  return noble.chacha20poly1305(key, nonce);
}

function packOffer(offer) {
  const size = new Uint8Array(8);
  new DataView(size.buffer).setUint32(0, Math.floor(offer.size / 2 ** 32));
  new DataView(size.buffer).setUint32(4, offer.size >>> 0);
  return concat(offer.key, fromHex(offer.sha256), size, utf8.encode(offer.name));
}

// Throws CannotOpen.
function unpackOffer(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (data.length <= OFFER_HEAD) throw new CannotOpen("against the rules for files");
  const size = view.getUint32(64) * 2 ** 32 + view.getUint32(68);
  if (size > Number.MAX_SAFE_INTEGER) throw new CannotOpen("against the rules for files");
  const name = new TextDecoder().decode(data.subarray(OFFER_HEAD));
  return { key: data.slice(0, 32), sha256: hex(data.slice(32, 64)), size, name };
}

// The longest beginning of a name that fits into an offer, with its ending.
function shortName(name) {
  const chars = [...name];
  while (utf8.encode(chars.join("")).length > 180) chars.splice(Math.max(0, chars.length - 12), 1);
  return chars.join("");
}

// What is sent of a file: read as it is, or sealed.
class PlainSource {
  constructor(file) {
    this.file = file;
    this.size = file.size;
  }

  async read(start, end) {
    return new Uint8Array(await this.file.slice(start, end).arrayBuffer());
  }

  get unchanged() {
    return this.file.size === this.size;
  }
}

class SealedSource {
  constructor(file, key) {
    this.plain = new PlainSource(file);
    this.key = key;
    this.size = sealedSize(file.size);
  }

  async read(start, end) {
    const parts = [];
    const first = Math.floor(start / SEALED_PIECE);
    const last = Math.ceil(end / SEALED_PIECE);
    for (let number = first; number < last; number += 1) {
      const plain = await this.plain.read(number * PLAIN_PIECE, (number + 1) * PLAIN_PIECE);
      parts.push(pieceCipher(this.key, number, this.plain.size).encrypt(plain));
    }
    return concat(...parts).subarray(start - first * SEALED_PIECE, end - first * SEALED_PIECE);
  }

  get unchanged() {
    return this.plain.unchanged;
  }
}

// The SHA-256 of a file, in hex, a piece at a time.
async function fileSum(file) {
  const source = new PlainSource(file);
  const digest = noble.sha256.create();
  for (let at = 0; at < file.size; at += PIECE) digest.update(await source.read(at, at + PIECE));
  return hex(digest.digest());
}

// The plain file of sealed bytes; throws CannotOpen if they are not what the sender sealed.
async function openFile(sealed, offer) {
  const source = new PlainSource(sealed);
  const digest = noble.sha256.create();
  let parts = [];
  for (let number = 0; number < pieceCount(offer.size); number += 1) {
    const piece = await source.read(number * SEALED_PIECE, (number + 1) * SEALED_PIECE);
    let plain;
    try {
      plain = pieceCipher(offer.key, number, offer.size).decrypt(piece);
    } catch {
      throw new CannotOpen("it was changed on its way");
    }
    digest.update(plain);
    parts.push(plain);
    if (parts.length > 64) parts = [new Blob(parts)]; // out of the memory of the program
  }
  if (hex(digest.digest()) !== offer.sha256) throw new CannotOpen("its SHA-256 does not fit");
  return new Blob(parts, { type: "application/octet-stream" });
}
