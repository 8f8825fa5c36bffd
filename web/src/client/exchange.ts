// What WHIP and WHEP have in common over HTTP: an offer with its candidates, a resource that is patched and deleted.

/** How long a restart is waited for: the HTTP connection of before may be as dead as the one of the media, and a
 * second request gets another one. */
const PATCH_WITHIN_MS = [1_000, 4_000];
/** The server is found without our candidates; those found at once go along. */
const GATHER_WITHIN_MS = 300;

export type Headers = Record<string, string>;

/** Restarts ICE by a fragment (RFC 9725 §4.3.3). */
export async function patch(resource: string, fragment: string, headers: Headers = {}): Promise<Response> {
  let failed: unknown = null;
  for (const within of PATCH_WITHIN_MS) {
    try {
      return await fetch(resource, {
        method: "PATCH",
        headers: { ...headers, "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" },
        body: fragment,
        signal: AbortSignal.timeout(within),
      });
    } catch (error) {
      failed = error;
    }
  }
  throw failed;
}

/** Also while the page goes away. */
export function remove(resource: string, headers: Headers = {}): void {
  void fetch(resource, { method: "DELETE", headers, keepalive: true }).catch(() => {});
}

export function gathered(pc: RTCPeerConnection): Promise<void> {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_WITHIN_MS);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}
