// The first picture of a segment, taken out of its container: enough of WebM and fragmented MP4 for files as the server
// writes them. Pure; trusts nothing.

/** Where a picture lies in a segment; `to` may be beyond what one has of it. */
export interface Place {
  from: number;
  to: number;
}

const CLUSTER = 0x1f43b675;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const SIMPLE_BLOCK = 0xa3;
/** Track number, time and flags before the picture. */
const BLOCK_HEAD = 4;

/** Null where there is none, or the bytes end before one can say. */
export function firstPicture(bytes: Uint8Array): Place | null {
  return bytes[0] === 0x1a || bytes[0] === 0x1f ? inWebM(bytes) : inMp4(bytes);
}

/** An element's or number's bytes: how many leading zeros its first has. */
function lengthOf(first: number): number {
  return Math.clz32(first) - 23;
}

function inWebM(bytes: Uint8Array): Place | null {
  let at = 0;
  while (at < bytes.length) {
    const head = element(bytes, at);
    if (!head) return null;
    const { id, from, to } = head;
    if (id === SIMPLE_BLOCK || id === BLOCK) return { from: from + BLOCK_HEAD, to };
    at = id === CLUSTER || id === BLOCK_GROUP ? from : to;
  }
  return null;
}

function element(bytes: Uint8Array, at: number): { id: number; from: number; to: number } | null {
  const idLength = lengthOf(bytes[at] ?? 0);
  const sizeAt = at + idLength;
  const sizeLength = lengthOf(bytes[sizeAt] ?? 0);
  if (idLength > 4 || sizeLength > 8 || sizeAt + sizeLength > bytes.length) return null;
  let id = 0;
  for (let index = at; index < sizeAt; index += 1) id = id * 256 + (bytes[index] ?? 0);
  let size = (bytes[sizeAt] ?? 0) & (0xff >> sizeLength);
  for (let index = 1; index < sizeLength; index += 1) size = size * 256 + (bytes[sizeAt + index] ?? 0);
  const from = sizeAt + sizeLength;
  return { id, from, to: from + size };
}

const DURATION = 0x100;
const SIZE = 0x200;
const OFFSET = 0x1;
const FIRST_FLAGS = 0x4;

function inMp4(bytes: Uint8Array): Place | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let size = 0;
  let at = 0;
  while (at + 8 <= bytes.length) {
    const length = view.getUint32(at);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (kind === "mdat") return size > 0 ? { from: at + 8, to: at + 8 + size } : null;
    if (kind === "trun") size = firstSize(view, at + 8);
    if (length < 8) return null;
    at += kind === "moof" || kind === "traf" ? 8 : length;
  }
  return null;
}

/** Of the first sample of a `trun` (ISO 14496-12, 8.8.8). */
function firstSize(view: DataView, at: number): number {
  if (at + 28 > view.byteLength) return 0;
  const flags = view.getUint32(at) & 0xffffff;
  if (!(flags & SIZE)) return 0;
  return view.getUint32(at + 8 + (flags & OFFSET ? 4 : 0) + (flags & FIRST_FLAGS ? 4 : 0) + (flags & DURATION ? 4 : 0));
}

/** H.264 with lengths before its units, as MP4 has it, becomes such with start codes, in place (ISO 14496-10, annex B). */
export function withStartCodes(picture: Uint8Array): void {
  const view = new DataView(picture.buffer, picture.byteOffset, picture.byteLength);
  let at = 0;
  while (at + 4 <= picture.length) {
    const length = view.getUint32(at);
    view.setUint32(at, 1);
    at += 4 + length;
  }
}
