"use strict";
// Bytes and texts: the small things that every part of the page needs.

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder("utf-8", { fatal: true });

function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

// The fields, each with its length before it as 4 bytes, big-endian: no two lists give the same bytes.
function joinFields(...fields) {
  const parts = [];
  for (const field of fields) {
    const bytes = typeof field === "string" ? utf8.encode(field) : field;
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, bytes.length);
    parts.push(size, bytes);
  }
  return concat(...parts);
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}

// Throws on what is no base64.
function fromBase64(text) {
  return Uint8Array.from(atob(String(text)), (char) => char.charCodeAt(0));
}

function fromBase64Url(text) {
  return fromBase64(text.replace(/-/g, "+").replace(/_/g, "/"));
}

function base64Url(bytes) {
  return base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(text) {
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function random(size) {
  return crypto.getRandomValues(new Uint8Array(size));
}

const SPKI = Uint8Array.from([0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0]); // RFC 8410

// SHA-256 over the public key, in hex. The member id is the first half of it.
function fingerprintOf(key) {
  return hex(noble.sha256(concat(SPKI, key)));
}

function memberId(key) {
  return fingerprintOf(key).slice(0, 32);
}
