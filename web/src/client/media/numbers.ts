// Reads what a browser tells of one track, and of the way it takes, as figures for people: rates come out of two
// readings. Every browser leaves some out: what is not told is null. Holds no address.

/** Of one picture or sound, sent or received. */
export interface TrackNumbers {
  kbps: number | null;
  /** Of all packets since the last reading, 0 to 1. */
  lost: number | null;
  jitterMs: number | null;
  codec: string | null;
  /** Packets that came, or were sent, again. */
  repaired: number | null;
  /** Requests for lost packets, and for whole pictures. */
  repeatRequests: number | null;
  pictureRequests: number | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  /** Seconds without a new picture so far. */
  frozenS: number | null;
  /** Of the sound since the last reading, how much was made up, 0 to 1. */
  concealed: number | null;
  /** What keeps it from being better. */
  limit: "bandwidth" | "processor" | null;
}

/** One size of one's own picture. */
export interface LayerNumbers {
  name: string;
  kbps: number | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  active: boolean;
}

export interface PathNumbers {
  rttMs: number | null;
  transport: "udp" | "tcp" | null;
  /** What the browser takes the uplink to carry. */
  uplinkKbps: number | null;
}

interface Report {
  id: string;
  type: string;
  kind?: string;
  timestamp: number;
  [field: string]: unknown;
}

const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const reportsOf = (report: RTCStatsReport): Report[] => {
  const all: Report[] = [];
  report.forEach((one: Report) => all.push(one));
  return all;
};

const sum = (reports: readonly Report[], field: string): number | null => {
  const values = reports.flatMap((one) => number(one[field]) ?? []);
  return values.length > 0 ? values.reduce((total, value) => total + value, 0) : null;
};

/** `video/VP8` as `VP8`. */
function codecOf(all: readonly Report[], of: Report | undefined): string | null {
  const mime = all.find((one) => one.type === "codec" && one.id === of?.codecId)?.mimeType;
  return typeof mime === "string" ? mime.replace(/^\w+\//u, "") : null;
}

/** Totals of a reading, by which the next makes rates. */
class Rates {
  private before = new Map<string, { at: number; value: number }>();

  /** Growth a second. */
  of(key: string, value: number | null, at: number): number | null {
    const grown = this.grown(key, value, at);
    return grown && grown.seconds > 0 ? grown.by / grown.seconds : null;
  }

  grown(key: string, value: number | null, at: number): { by: number; seconds: number } | null {
    if (value === null) return null;
    const before = this.before.get(key);
    this.before.set(key, { at, value });
    // A total that fell is that of another stream.
    return before && value >= before.value ? { by: value - before.value, seconds: (at - before.at) / 1000 } : null;
  }
}

/** Reads one track again and again. */
export class TrackMeter {
  private readonly rates = new Rates();

  received(report: RTCStatsReport): TrackNumbers | null {
    const all = reportsOf(report);
    const track = all.find((one) => one.type === "inbound-rtp");
    if (!track) return null;
    const { id, timestamp: at } = track;
    const value = (field: string) => number(track[field]);
    const rate = (field: string) => this.rates.of(`${id}.${field}`, value(field), at);
    const grown = (field: string) => this.rates.grown(`${id}.${field}`, value(field), at)?.by ?? null;
    const [lost, came] = [grown("packetsLost"), grown("packetsReceived")];
    const [concealed, played] = [grown("concealedSamples"), grown("totalSamplesReceived")];
    const silent = grown("silentConcealedSamples") ?? 0;
    const bytes = rate("bytesReceived");
    return {
      kbps: bytes === null ? null : (bytes * 8) / 1000,
      lost: lost === null || came === null || lost + came <= 0 ? null : Math.max(0, lost) / (lost + came),
      jitterMs: milliseconds(value("jitter")),
      codec: codecOf(all, track),
      repaired: value("retransmittedPacketsReceived"),
      repeatRequests: value("nackCount"),
      pictureRequests: value("pliCount"),
      width: value("frameWidth"),
      height: value("frameHeight"),
      fps: value("framesPerSecond") ?? rate("framesDecoded"),
      frozenS: value("totalFreezesDuration"),
      // What is made up while nobody speaks is silence: nobody misses anything.
      concealed: concealed === null || !played ? null : Math.max(0, concealed - silent) / played,
      limit: null,
    };
  }

  sent(report: RTCStatsReport): { track: TrackNumbers; layers: LayerNumbers[] } | null {
    const all = reportsOf(report);
    const streams = all.filter((one) => one.type === "outbound-rtp");
    const first = streams[0];
    if (!first) return null;
    const remotes = all.filter((one) => one.type === "remote-inbound-rtp");
    const layers = streams.map((one): LayerNumbers => {
      const bytes = this.rates.of(`${one.id}.bytesSent`, number(one.bytesSent), one.timestamp);
      const frames = this.rates.of(`${one.id}.framesEncoded`, number(one.framesEncoded), one.timestamp);
      const active = one.active !== false;
      return {
        name: typeof one.rid === "string" ? one.rid : "",
        kbps: bytes === null ? null : (bytes * 8) / 1000,
        width: number(one.frameWidth),
        height: number(one.frameHeight),
        fps: active ? (number(one.framesPerSecond) ?? frames) : 0,
        active,
      };
    });
    layers.sort((a, b) => (a.height ?? 0) - (b.height ?? 0));
    const flowing = layers.filter((layer) => layer.active && (layer.kbps ?? 0) > 0);
    const best = flowing.at(-1) ?? layers.at(-1);
    const rates = layers.flatMap((layer) => layer.kbps ?? []);
    const worst = (field: string) => {
      const values = remotes.flatMap((one) => number(one[field]) ?? []);
      return values.length > 0 ? Math.max(...values) : null;
    };
    const reasons = streams.filter((one) => one.active !== false).map((one) => one.qualityLimitationReason);
    const track: TrackNumbers = {
      kbps: rates.length > 0 ? rates.reduce((total, rate) => total + rate, 0) : null,
      lost: worst("fractionLost"),
      jitterMs: milliseconds(worst("jitter")),
      codec: codecOf(all, first),
      repaired: sum(streams, "retransmittedPacketsSent"),
      repeatRequests: sum(streams, "nackCount"),
      pictureRequests: sum(streams, "pliCount"),
      width: best?.width ?? null,
      height: best?.height ?? null,
      fps: best?.fps ?? null,
      frozenS: null,
      concealed: null,
      limit: reasons.includes("bandwidth") ? "bandwidth" : reasons.includes("cpu") ? "processor" : null,
    };
    return { track, layers: layers.length > 1 ? layers : [] };
  }
}

function milliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

/** The way that everything takes. */
export function pathNumbers(report: RTCStatsReport): PathNumbers {
  const all = reportsOf(report);
  const chosen = all.find((one) => one.type === "transport")?.selectedCandidatePairId;
  const pairs = all.filter((one) => one.type === "candidate-pair");
  // Firefox has no report of the transport, but marks the pair.
  const pair = pairs.find((one) => one.id === chosen) ?? pairs.find((one) => one.selected === true) ?? pairs.find((one) => one.nominated === true);
  const local = all.find((one) => one.type === "local-candidate" && one.id === pair?.localCandidateId);
  const uplink = number(pair?.availableOutgoingBitrate);
  const remotes = all.filter((one) => one.type === "remote-inbound-rtp").flatMap((one) => number(one.roundTripTime) ?? []);
  return {
    rttMs: milliseconds(number(pair?.currentRoundTripTime) ?? remotes[0] ?? null),
    transport: local?.protocol === "tcp" ? "tcp" : local?.protocol === "udp" ? "udp" : null,
    uplinkKbps: uplink === null ? null : uplink / 1000,
  };
}
