// The encodings that we send, and which of them somebody watches.

/** Lowest first, as the server expects them. */
export const CAMERA_ENCODINGS: readonly RTCRtpEncodingParameters[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];

/** What a shared screen shows: text, which must be sharp, or motion, which must be smooth. */
export type ShareMode = "text" | "motion";

/** Every pixel a few times a second, and half of them more often for links that carry no more; or both smoothly. */
const SHARES: Record<ShareMode, readonly [small: Rates, whole: Rates]> = {
  text: [
    { maxFramerate: 15, maxBitrate: 300_000 },
    { maxFramerate: 5, maxBitrate: 2_000_000 },
  ],
  motion: [
    { maxFramerate: 30, maxBitrate: 600_000 },
    { maxFramerate: 30, maxBitrate: 3_000_000 },
  ],
};
type Rates = { maxFramerate: number; maxBitrate: number };

/** Pictures a second to ask of the capture: more than the fastest encoding would only warm the machine. */
export const SHARE_FRAMES: Record<ShareMode, number> = { text: 15, motion: 30 };

/** Which hint tells the encoder so. */
export const SHARE_HINT: Record<ShareMode, "text" | "motion"> = { text: "text", motion: "motion" };

/** Lowest first, of a screen of this height. */
export function screenEncodings(mode: ShareMode, height: number): readonly RTCRtpEncodingParameters[] {
  const [small, whole] = SHARES[mode];
  // Chromium leaves out the last of a small picture's layers: the first must be the whole one then.
  if (height < 360) return [{ rid: "h", scaleResolutionDownBy: 1, ...whole }, { rid: "f", scaleResolutionDownBy: 1, active: false, ...whole }];
  return [
    { rid: "h", scaleResolutionDownBy: 2, ...small },
    { rid: "f", scaleResolutionDownBy: 1, ...whole },
  ];
}

export const SCREEN_ENCODINGS = screenEncodings("text", 720);

/**
 * By how much each encoding scales a camera of this height down. Chromium sends two layers of 360 lines and one
 * of 180, always the first ones: they must be the best then, or nobody would get the full picture.
 */
export function layerScales(height: number): readonly number[] {
  if (height >= 540) return [4, 2, 1];
  if (height >= 270) return [2, 1];
  return [1];
}

/**
 * Which encodings to send so that a tile of `wanted` pixels gets a sharp picture: all up to the first
 * that is high enough. The lowest one always, so that a new watcher sees something at once.
 */
export function activeLayers(scales: readonly number[], height: number, wanted: number): boolean[] {
  let enough = false;
  return scales.map((scale, index) => {
    const send = index === 0 || !enough;
    // A tile a little larger than the layer does not need the next one.
    if (height / scale >= wanted * 0.85) enough = true;
    return send && (index === 0 || wanted > 0);
  });
}
