// The encodings that we send, and which of them somebody watches.

/** Lowest first, as the server expects them. */
export const CAMERA_ENCODINGS: readonly RTCRtpEncodingParameters[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_700_000 },
];

/** One layer: text must stay sharp for everybody. */
export const SCREEN_ENCODINGS: readonly RTCRtpEncodingParameters[] = [{ maxBitrate: 2_500_000 }];

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
