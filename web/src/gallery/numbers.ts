/** Figures of a connection that was never there, for looking at. */
import type { ReadNumbers, TrackNumbers } from "../state/types";

export function fakeNumbers(own: boolean): ReadNumbers {
  let count = 0;
  return () => {
    count += 1;
    const wave = Math.sin(count / 4) * 140 + Math.sin(count * 1.7) * 60;
    const lost = Math.max(0, 0.021 + Math.sin(count / 3) * 0.03);
    const video: TrackNumbers = {
      kbps: 1480 + wave, lost, jitterMs: 11, codec: "VP8", repaired: 212, repeatRequests: 187, pictureRequests: 3, width: 1280, height: 720, fps: 29,
      frozenS: own ? null : 0.4, concealed: null, limit: own ? "bandwidth" : null,
    };
    const audio: TrackNumbers = {
      kbps: 38, lost: lost / 2, jitterMs: 9, codec: "red", repaired: null, repeatRequests: null, pictureRequests: null, width: null, height: null, fps: null,
      frozenS: null, concealed: own ? null : 0.006, limit: null,
    };
    const layer = (name: string, height: number, kbps: number) => ({ name, kbps, width: (height * 16) / 9, height, fps: 29, active: kbps > 0 });
    return Promise.resolve({
      video,
      layers: own ? [layer("q", 180, 150), layer("h", 360, 480), layer("f", 720, 0)] : [],
      audio,
      path: { rttMs: 48, transport: "udp", uplinkKbps: 1900 },
      downlinkKbps: 4200,
    });
  };
}
