// Texts from the network, made harmless to look at: what could hide something or turn the direction of a text is shown
// by its name. The rules are those of lanchat's terminal (protocol/text.py, protocol/invisible.py).

const MAX_MARKS = 4; // above and below a letter, and as many beside it; a pile covers other lines
const VIRAMA =
  /[\u{94d}\u{9cd}\u{a4d}\u{acd}\u{b4d}\u{bcd}\u{c4d}\u{ccd}\u{d3b}\u{d3c}\u{d4d}\u{dca}\u{e3a}\u{eba}\u{f84}\u{1039}\u{103a}\u{1714}\u{1715}\u{1734}\u{17d2}\u{1a60}\u{1b44}\u{1baa}\u{1bab}\u{1bf2}\u{1bf3}\u{2d7f}\u{a806}\u{a82c}\u{a8c4}\u{a953}\u{a9c0}\u{aaf6}\u{abed}\u{10a3f}\u{11046}\u{11070}\u{1107f}\u{110b9}\u{11133}\u{11134}\u{111c0}\u{11235}\u{112ea}\u{1134d}\u{11442}\u{114c2}\u{115bf}\u{1163f}\u{116b6}\u{1172b}\u{11839}\u{1193d}\u{1193e}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d44}\u{11d45}\u{11d97}]/u;
const INVISIBLE =
  /[\xad\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180b}-\u{180f}\u{200b}-\u{200f}\u{202a}-\u{202e}\u{2060}-\u{206f}\u{3164}\u{fe00}-\u{fe0f}\u{feff}\u{ffa0}\u{fff0}-\u{fff8}\u{fffc}\u{13441}\u{13442}\u{16fe4}\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;
const JOINING =
  /[\u{620}-\u{77f}\u{7c0}-\u{7ff}\u{840}-\u{8ff}\u{1820}-\u{18aa}\u{a840}-\u{a877}\u{10d00}-\u{10d3f}\u{1e900}-\u{1e95f}]/u;
const MONGOLIAN = /[\u{1820}-\u{18aa}]/u;
const UNSPACED = /[\u{e00}-\u{eff}\u{1000}-\u{109f}\u{1780}-\u{17ff}]/u;
const HAN = /[\u{3400}-\u{4dbf}\u{4e00}-\u{9fff}\u{f900}-\u{fa6d}\u{fa70}-\u{fad9}\u{20000}-\u{2fffd}\u{30000}-\u{3fffd}]/u;
const SKIN_TONE = /[\u{1f3fb}-\u{1f3ff}]/u;
const MARK = /[\p{Mn}\p{Me}]/u;
const SPACING_MARK = /[\p{Mc}\u1160-\u11ff]/u;
const LETTER = /\p{L}/u;
const ODD = /[\p{C}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800]/u; // spaces other than the usual ones too
const SPACE = /[\p{Zs}\u2800]/u;
const NEEDS_CARE =
  /[^\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u038e-\u03a1\u03a3-\u0482\u048a-\u052f\u0561-\u0586\u3041-\u3096\u4e00-\u9fa5\uac00-\ud7a3]/u;
const TAGGED_FLAGS = ["gbeng", "gbsct", "gbwls"].map(
  (region) => [...region].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join("") + "\u{e007f}",
);

function isPictograph(char) {
  return char !== undefined && char > "\x7f" && /[\p{ExtPict}]/u.test(char) && !SKIN_TONE.test(char);
}

// The text with its line ends, and everything else made visible.
function safeLines(text) {
  return String(text).split("\n").map(safeText).join("\n");
}

function safeText(text) {
  text = String(text);
  if (!NEEDS_CARE.test(text)) return text;
  const chars = [...text];
  let shown = "";
  let marks = 0;
  let spacing = 0;
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at];
    if (INVISIBLE.test(char)) {
      const [length, name] = written(chars, at) || [1, named(char)];
      shown += name;
      at += length - 1;
    } else if (MARK.test(char)) {
      marks += 1;
      if (marks <= MAX_MARKS) shown += char;
    } else if (SPACING_MARK.test(char)) {
      spacing += 1;
      if (spacing <= MAX_MARKS) shown += char;
    } else {
      marks = spacing = 0;
      shown += ODD.test(char) && !isPictograph(char) && !HAN.test(char) ? named(char) : char;
    }
  }
  return shown;
}

// A nick, in which nothing that no nick can hold looks like something else.
function safeNick(text) {
  const chars = [...String(text)];
  const kept = chars.slice(0, 32).map((char) => (/[\p{L}\p{M}\p{N}_.-]/u.test(char) && !INVISIBLE.test(char) ? char : "?"));
  return (safeText(kept.join("")) || "?") + (chars.length > 32 ? "..." : "");
}

function named(char) {
  if (char === "\t") return "    ";
  if (SPACE.test(char)) return " ";
  const code = char.codePointAt(0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `<U+${code.toUpperCase().padStart(4, "0")}>`;
}

// How many characters belong together from here on, and how they are shown; null: they have no business here.
function written(chars, at) {
  const [char, before, after] = [chars[at], chars[at - 1], chars[at + 1]];
  if (before === undefined) return null;
  if (char === "\u200d" || char === "\u200c") return isJoiner(chars, at, char, before, after) ? [1, char] : null;
  if (char === "\ufe0e" || char === "\ufe0f") {
    return isPictograph(before) || (/[0-9#*]/.test(before) && after === "\u20e3") ? [1, char] : null;
  }
  if (char === "\u200b") {
    return after !== undefined && UNSPACED.test(before) && UNSPACED.test(after) ? [1, ""] : null;
  }
  if (before === "\u{1f3f4}") {
    const rest = chars.slice(at, at + 6).join("");
    return TAGGED_FLAGS.includes(rest) ? [6, rest] : null;
  }
  const selectsForm = (char >= "\ufe00" && char <= "\ufe02") || /[\u{e0100}-\u{e01ef}]/u.test(char);
  const isForm = (HAN.test(before) && selectsForm) || (MONGOLIAN.test(before) && /[\u180b-\u180f]/.test(char));
  return isForm ? [1, ""] : null;
}

function isJoiner(chars, at, char, before, after) {
  if (char === "\u200d" && isPictograph(after)) {
    if (isPictograph(before) || SKIN_TONE.test(before) || endsPicture(chars, at)) return true;
  }
  let base = at - 1;
  while (base > 0 && /\p{M}/u.test(chars[base]) && !INVISIBLE.test(chars[base])) base -= 1;
  if (JOINING.test(chars[base]) && LETTER.test(chars[base])) return true;
  if (INVISIBLE.test(before)) return false;
  if (VIRAMA.test(before)) return true;
  return char === "\u200d" && after !== undefined && VIRAMA.test(after) && /[\p{L}\p{M}]/u.test(before);
}

function endsPicture(chars, at) {
  if (chars[at - 1] === "\ufe0f") return isPictograph(chars[at - 2]);
  return at >= 7 && chars[at - 7] === "\u{1f3f4}" && TAGGED_FLAGS.includes(chars.slice(at - 6, at).join(""));
}

// Four digits at a time, for reading aloud.
function grouped(digits) {
  return digits.replace(/(.{4})(?=.)/g, "$1 ");
}
