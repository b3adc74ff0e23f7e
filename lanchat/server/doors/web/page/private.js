// Private messages, sealed to the recipient's key: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256),
// HKDF-SHA256 and ChaCha20-Poly1305. The host carries boxes and cannot read them.

const PADDED_SIZES = [64, 256, 1024, 4096]; // bytes of a text in a box
const BOX_OVERHEAD = 178; // further bytes of a box
const KEM_SUITE = concat(utf8.encode("KEM"), Uint8Array.of(0, 0x20));
const HPKE_SUITE = concat(utf8.encode("HPKE"), Uint8Array.of(0, 0x20, 0, 1, 0, 3));
const HPKE_VERSION = utf8.encode("HPKE-v1");
const NOTHING = new Uint8Array(0);

const MESSAGE_PURPOSE = "lanchat private message 1";
const OFFER_PURPOSE = "lanchat private file 1"; // of what a file for one person is offered with

class CannotOpen extends Error {}

function labeledExtract(suite, salt, label, secret) {
  const labeled = concat(HPKE_VERSION, suite, utf8.encode(label), secret);
  return noble.extract(noble.sha256, labeled, salt);
}

function labeledExpand(suite, key, label, info, size) {
  const labeled = concat(Uint8Array.of(size >> 8, size & 255), HPKE_VERSION, suite, utf8.encode(label), info);
  return noble.expand(noble.sha256, key, labeled, size);
}

// The key and the nonce of one message (sections 4.1 and 5.1).
function hpkeContext(shared, enc, recipient, info) {
  const extracted = labeledExtract(KEM_SUITE, NOTHING, "eae_prk", shared);
  const secret = labeledExpand(KEM_SUITE, extracted, "shared_secret", concat(enc, recipient), 32);
  const context = concat(
    Uint8Array.of(0),
    labeledExtract(HPKE_SUITE, NOTHING, "psk_id_hash", NOTHING),
    labeledExtract(HPKE_SUITE, NOTHING, "info_hash", info),
  );
  const scheduled = labeledExtract(HPKE_SUITE, secret, "secret", NOTHING);
  return {
    key: labeledExpand(HPKE_SUITE, scheduled, "key", context, 32),
    nonce: labeledExpand(HPKE_SUITE, scheduled, "base_nonce", context, 12),
  };
}

function hpkeSeal(recipient, info, plain, ephemeral) {
  const enc = noble.x25519.getPublicKey(ephemeral);
  const context = hpkeContext(noble.x25519.getSharedSecret(ephemeral, recipient), enc, recipient, info);
  return concat(enc, noble.chacha20poly1305(context.key, context.nonce).encrypt(plain));
}

function hpkeOpen(secret, info, sealed) {
  const enc = sealed.slice(0, 32);
  const own = noble.x25519.getPublicKey(secret);
  const context = hpkeContext(noble.x25519.getSharedSecret(secret, enc), enc, own, info);
  return noble.chacha20poly1305(context.key, context.nonce).decrypt(sealed.slice(32));
}

function padText(text) {
  const size = PADDED_SIZES.find((padded) => text.length <= padded);
  if (size === undefined) throw new Error("A message may have at most 4096 bytes.");
  const padded = new Uint8Array(2 + size);
  padded.set(Uint8Array.of(text.length >> 8, text.length & 255));
  padded.set(text, 2);
  return padded;
}

// Seals and opens the private messages, and the offers of files, of this person in one room.
class Sealer {
  constructor(seed, room) {
    this.seed = seed;
    this.public = noble.ed25519.getPublicKey(seed);
    this.opening = noble.ed25519.utils.toMontgomerySecret(seed);
    this.room = room;
  }

  // Returns the box for the recipient, and one for our own other sessions.
  seal(recipient, id, text, random1 = random(32), random2 = random(32)) {
    return this.sealData(MESSAGE_PURPOSE, recipient, id, utf8.encode(text), random1, random2);
  }

  sealOffer(recipient, id, offer) {
    return this.sealData(OFFER_PURPOSE, recipient, id, packOffer(offer), random(32), random(32));
  }

  sealData(purpose, recipient, id, data, random1, random2) {
    const info = joinFields(purpose, this.room, this.public, recipient, id);
    const signature = noble.ed25519.sign(concat(info, joinFields(data)), this.seed);
    const plain = concat(signature, padText(data));
    const toThem = noble.ed25519.utils.toMontgomery(recipient);
    const toUs = noble.ed25519.utils.toMontgomery(this.public);
    return {
      box: concat(this.public, recipient, hpkeSeal(toThem, info, plain, random1)),
      copy: concat(this.public, recipient, hpkeSeal(toUs, info, plain, random2)),
    };
  }

  // The text in a box; throws CannotOpen, whose message stands behind a colon.
  open(by, to, id, box) {
    try {
      return fromUtf8.decode(this.openData(MESSAGE_PURPOSE, by, to, id, box));
    } catch (error) {
      throw error instanceof CannotOpen ? error : new CannotOpen("against the rules for messages");
    }
  }

  openOffer(by, to, id, box) {
    return unpackOffer(this.openData(OFFER_PURPOSE, by, to, id, box));
  }

  openData(purpose, by, to, id, box) {
    if (!PADDED_SIZES.includes(box.length - BOX_OVERHEAD)) throw new CannotOpen("damaged");
    const [sender, recipient] = [box.slice(0, 32), box.slice(32, 64)];
    if (memberId(sender) !== by || memberId(recipient) !== to) throw new CannotOpen("sealed by or for somebody else");
    if (!sameBytes(this.public, sender) && !sameBytes(this.public, recipient)) {
      throw new CannotOpen("sealed for another key of yours");
    }
    const info = joinFields(purpose, this.room, sender, recipient, id);
    let data, signature;
    try {
      const plain = hpkeOpen(this.opening, info, box.slice(64));
      signature = plain.slice(0, 64);
      data = plain.slice(66, 66 + plain[64] * 256 + plain[65]);
      if (!sameBytes(padText(data), plain.slice(64))) throw new Error("the padding is wrong");
    } catch {
      throw new CannotOpen("damaged or forged");
    }
    if (!noble.ed25519.verify(signature, concat(info, joinFields(data)), sender, { zip215: false })) {
      throw new CannotOpen("not signed by its sender");
    }
    return data;
  }
}
