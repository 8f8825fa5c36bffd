import { describe, expect, it } from "vitest";
import { withSoundRepair } from "./sound";

const lines = (...some: string[]) => some.map((line) => `${line}\r\n`).join("");

describe("withSoundRepair", () => {
  it("asks for repair of Opus and RED in every section of sound, and of nothing else", () => {
    const opus = ["a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc", "a=rtpmap:63 red/48000/2"];
    const video = ["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=rtpmap:96 VP8/90000", "a=rtcp-fb:96 nack"];
    const before = lines("v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111 63", ...opus, ...video, "m=audio 9 UDP/TLS/RTP/SAVPF 111 63", ...opus);
    const repaired = ["a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 nack", "a=rtcp-fb:111 transport-cc", "a=rtpmap:63 red/48000/2", "a=rtcp-fb:63 nack"];
    const after = lines("v=0", "m=audio 9 UDP/TLS/RTP/SAVPF 111 63", ...repaired, ...video, "m=audio 9 UDP/TLS/RTP/SAVPF 111 63", ...repaired);
    expect(withSoundRepair(before)).toBe(after);
  });

  it("leaves alone what asks for it already", () => {
    const offer = lines("m=audio 9 UDP/TLS/RTP/SAVPF 109", "a=rtpmap:109 opus/48000/2", "a=rtcp-fb:109 nack");
    expect(withSoundRepair(offer)).toBe(offer);
  });
});
