// How people are shown: initials and colours, the same on every page and for everybody.

const HUES = 12;
const CJK = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u;

/** One or two characters that stand for a name. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = [...(words[0] ?? "")];
  // Of a Chinese name the last two characters are the given name.
  if (first.some((character) => CJK.test(character))) return first.slice(-2).join("");
  const last = words.length > 1 ? [...(words.at(-1) ?? "")][0] : undefined;
  return `${first[0] ?? "?"}${last ?? ""}`.toUpperCase();
}

/** A colour for a participant: neighbours in the order of coming differ. */
export function hueOf(id: number): number {
  return (id * 5) % HUES;
}
