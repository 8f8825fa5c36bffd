// The order of codecs. Never drops one: Firefox then leaves `a=rtcp-fb` lines of absent payload types
// in its offer.

/** Moves codecs of `mimeType` to the front; the order stays otherwise. */
export function preferred<C extends { mimeType: string }>(codecs: readonly C[], mimeType: string): C[] {
  const wanted = (codec: C) => codec.mimeType.toLowerCase() === mimeType.toLowerCase();
  return [...codecs.filter(wanted), ...codecs.filter((codec) => !wanted(codec))];
}

/** Asks the browser to offer `mimeType` first where it does not by itself. */
export function prefer(transceiver: RTCRtpTransceiver, kind: "audio" | "video", mimeType: string): void {
  const codecs = globalThis.RTCRtpReceiver?.getCapabilities?.(kind)?.codecs ?? [];
  const place = codecs.findIndex((codec) => codec.mimeType.toLowerCase() === mimeType.toLowerCase());
  if (place <= 0) return;
  try {
    transceiver.setCodecPreferences(preferred(codecs, mimeType));
  } catch {
    // Then in the browser's own order: the server takes any.
  }
}
