// Fragments of SDP (RFC 8840), by which WHIP and WHEP restart ICE (RFC 9725 §4.3.3): what we say of our side, and what
// an answer becomes by what the server says of its own. Text only.

/** Our new credentials, as a restart wants them. */
export function restartFragment(offer: string): string {
  const lines = offer.split(/\r?\n/u);
  const found = (name: string) => lines.find((line) => line.startsWith(name)) ?? "";
  const media = found("m=").split(" ")[0] ?? "m=audio";
  return [
    found("a=ice-ufrag:"), found("a=ice-pwd:"), `${media} 9 RTP/AVP 0`, found("a=mid:"), "",
  ].join("\r\n");
}

/** The answer of before with the server's new credentials and candidates; null where the fragment has none. */
export function restartedAnswer(answer: string, fragment: string): string | null {
  const said = fragment.split(/\r?\n/u);
  const ufrag = said.find((line) => line.startsWith("a=ice-ufrag:"));
  const password = said.find((line) => line.startsWith("a=ice-pwd:"));
  if (!ufrag || !password) return null;
  const candidates = said.filter((line) => line.startsWith("a=candidate:") || line === "a=end-of-candidates");
  let placed = false;
  const lines = answer.split(/\r?\n/u).flatMap((line) => {
    if (line.startsWith("a=ice-ufrag:")) return [ufrag];
    if (line.startsWith("a=ice-pwd:")) return [password];
    if (!line.startsWith("a=candidate:") && line !== "a=end-of-candidates") return [line];
    const first = !placed;
    placed = true;
    return first ? candidates : [];
  });
  return lines.join("\r\n");
}
