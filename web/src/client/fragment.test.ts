import { describe, expect, it } from "vitest";
import { restartedAnswer, restartFragment } from "./fragment";

const text = (...lines: string[]) => `${lines.join("\r\n")}\r\n`;

describe("a restart of ICE by fragments", () => {
  it("says our credentials in the section that carries the transport", () => {
    const offer = text("v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=ice-ufrag:New1", "a=ice-pwd:secret", "a=mid:0", "m=audio 9 X 1", "a=ice-ufrag:New1", "a=mid:1");
    expect(restartFragment(offer)).toBe(text("a=ice-ufrag:New1", "a=ice-pwd:secret", "m=video 9 RTP/AVP 0", "a=mid:0"));
  });

  it("puts the server's credentials and candidates into the answer of before", () => {
    const section = (mid: string, ...more: string[]) => [`m=video 9 X 96`, `a=mid:${mid}`, "a=ice-ufrag:old", "a=ice-pwd:older", ...more];
    const before = text("v=0", ...section("0", "a=candidate:1 1 udp 1 192.0.2.1 1 typ host", "a=candidate:2 1 udp 1 192.0.2.2 1 typ host", "a=end-of-candidates"), ...section("1"));
    const fragment = text("a=ice-lite", "m=video 9 RTP/AVP 0", "a=mid:0", "a=ice-ufrag:new", "a=ice-pwd:newer", "a=candidate:1 1 udp 1 192.0.2.9 1 typ host", "a=end-of-candidates");
    const after = restartedAnswer(before, fragment);
    expect(after).toBe(
      before.replaceAll("old\r", "new\r").replaceAll("older", "newer").replace(/a=candidate:[^]*a=end/u, "a=candidate:1 1 udp 1 192.0.2.9 1 typ host\r\na=end"),
    );
    expect(restartedAnswer(before, "a=mid:0\r\n")).toBeNull();
  });
});
