// What browsers can do for sound on a link that loses packets, but do not offer by themselves. Pure.

/**
 * An offer in which lost packets of sound are asked for again (generic NACK), plain or with repetition in them. Browsers
 * do that where it was agreed on, and no interface but the description's text lets a page ask for it.
 */
export function withSoundRepair(sdp: string): string {
  let sound = false;
  return sdp
    .split("\r\n")
    .flatMap((line) => {
      if (line.startsWith("m=")) sound = line.startsWith("m=audio ");
      const codec = sound ? /^a=rtpmap:(\d+) (?:opus|red)\/48000/iu.exec(line)?.[1] : undefined;
      const ask = `a=rtcp-fb:${codec} nack`;
      return codec && !sdp.includes(`${ask}\r\n`) ? [line, ask] : [line];
    })
    .join("\r\n");
}
