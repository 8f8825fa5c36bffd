// A peer connection with a fresh look at the machine's addresses. A page's connections share one list of them, which
// Chromium renews two seconds after something changed; a frame makes a list of its own with its first connection.

import { CONFIGURATION } from "./peer";

/** In a frame that goes with the connection; without a page, or in a page that may have no frames, one as usual. */
export function freshPeerConnection(): RTCPeerConnection {
  if (typeof document === "undefined") return new RTCPeerConnection(CONFIGURATION);
  const frame = document.createElement("iframe");
  frame.hidden = true;
  document.body.append(frame);
  const Maker = (frame.contentWindow as (Window & typeof globalThis) | null)?.RTCPeerConnection;
  if (!Maker) {
    frame.remove();
    return new RTCPeerConnection(CONFIGURATION);
  }
  const pc = new Maker(CONFIGURATION);
  const close = pc.close.bind(pc);
  pc.close = () => {
    close();
    frame.remove();
  };
  return pc;
}
