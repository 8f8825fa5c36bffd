// A peer connection with its offer, made while a person still looks at his own picture: it depends on nothing
// that the server says, and making it takes longer than all the rest of joining. Knows neither socket nor devices.

import type { SendSlot, SlotCounts } from "../protocol";
import { CONFIGURATION, Peer } from "./peer";

/** The server's default; with other counts a peer connection is made when they are known. */
export const USUAL_SLOTS: SlotCounts = { video: 9, audio: 5 };
/** A new one is made in place of an older one: the network may have changed since its addresses were gathered. */
const RENEW_AFTER_MS = 120_000;
/** One that is even older was kept by a machine that slept. */
const TOO_OLD_MS = RENEW_AFTER_MS + 10_000;
/** The page's own work goes first, but for no longer. */
const IDLE_WITHIN_MS = 500;

export interface Prepared {
  peer: Peer;
  offer: Promise<{ sdp: string; sends: SendSlot[] }>;
}

export interface PreparationMakers {
  peerConnection: () => RTCPeerConnection;
  /** Calls back when the page has nothing better to do. */
  idle: (then: () => void) => void;
  /** Tells `online`; absent outside a page. */
  network?: EventTarget;
}

function browserMakers(): PreparationMakers {
  return {
    peerConnection: () => new RTCPeerConnection(CONFIGURATION),
    idle: (then) => {
      // Safari has no idle callbacks.
      if (typeof requestIdleCallback === "function") requestIdleCallback(then, { timeout: IDLE_WITHIN_MS });
      else setTimeout(then, 0);
    },
    network: window,
  };
}

export class Preparation {
  private made: (Prepared & { since: number }) | null = null;
  private wanted = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly onNetwork = () => this.renew();

  constructor(private readonly make: PreparationMakers = browserMakers()) {
    make.network?.addEventListener("online", this.onNetwork);
  }

  /** Somebody may join soon. */
  begin(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.renew();
  }

  /** Whether there is something to hand over now. */
  get ready(): boolean {
    return this.made !== null && Date.now() - this.made.since <= TOO_OLD_MS;
  }

  /** Hands over what was prepared, once; null where there is nothing that fits. */
  take(counts: SlotCounts): Prepared | null {
    const { made } = this;
    this.made = null;
    this.end();
    if (!made) return null;
    const fits = counts.video === USUAL_SLOTS.video && counts.audio === USUAL_SLOTS.audio;
    if (fits && Date.now() - made.since <= TOO_OLD_MS) return made;
    made.peer.close();
    return null;
  }

  /** Nobody will join. */
  end(): void {
    this.wanted = false;
    clearTimeout(this.timer);
    this.made?.peer.close();
    this.made = null;
  }

  close(): void {
    this.end();
    this.make.network?.removeEventListener("online", this.onNetwork);
  }

  private renew(): void {
    if (!this.wanted) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.renew(), RENEW_AFTER_MS);
    this.make.idle(() => {
      if (!this.wanted) return;
      this.made?.peer.close();
      this.made = null;
      try {
        const peer = new Peer(this.make.peerConnection(), USUAL_SLOTS);
        const made = { peer, offer: peer.offer(false), since: Date.now() };
        this.made = made;
        // Then it is made when it is needed, and says there why it can't.
        made.offer.catch(() => {
          if (this.made === made) this.made = null;
        });
      } catch {
        // As above.
      }
    });
  }
}
