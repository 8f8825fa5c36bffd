// The figures of one tile, read again and again while somebody looks at them: picture and sound of its person, and the
// way they take. Knows neither peer connection nor words for people.

import { pathNumbers, TrackMeter } from "../client/media/numbers";
import type { ParticipantId, Source } from "../client/protocol";
import type { SessionParts } from "./parts";
import type { TileNumbers } from "./types";

/** Of which person, and which picture. */
export interface Measured {
  participant: ParticipantId;
  source: "camera" | "screen";
  own: boolean;
}

export class TileMeter {
  private readonly video = new TrackMeter();
  private readonly audio = new TrackMeter();

  constructor(private readonly session: () => Pick<SessionParts, "numbers" | "statistics"> | null) {}

  /** Null while there is no connection. */
  async read({ participant, source, own }: Measured, downlinkKbps: number | null): Promise<TileNumbers | null> {
    const session = this.session();
    const connection = session?.statistics();
    if (!session || !connection) return null;
    const sound: Source = source === "camera" ? "microphone" : "screen-audio";
    const of = async (one: Source) => (await session.numbers(one, own ? null : participant)?.catch(() => null)) ?? null;
    const [whole, picture, voice] = await Promise.all([connection.catch(() => null), of(source), of(sound)]);
    if (!whole) return null;
    const sent = own && picture ? this.video.sent(picture) : null;
    return {
      video: own ? (sent?.track ?? null) : picture ? this.video.received(picture) : null,
      layers: sent?.layers ?? [],
      audio: !voice ? null : own ? (this.audio.sent(voice)?.track ?? null) : this.audio.received(voice),
      path: pathNumbers(whole),
      downlinkKbps,
    };
  }
}
