// What an encoder pushes to a broadcast, as the server tells it (`src/ingest/trouble.rs`): shapes alone.

export type Trouble =
  | { code: "b-frames" | "more-tracks" | "no-audio" | "no-video" | "time-jumps" }
  | { code: "key-frame-interval"; seconds: number }
  | { code: "unsupported-codec"; audio: boolean; name: string }
  | { code: "bitrate"; bits_per_second: number; limit: number }
  /** More than 0: it falls behind. 1,000,000 is standing still. */
  | { code: "clock-drift"; parts_per_million: number };

export interface Push {
  protocol: "rtmp";
  /** What it calls itself; a stranger's words. */
  encoder: string;
  /** Milliseconds since the Unix epoch. */
  since: number;
  /** Null before its format came. */
  video: {
    codec: string;
    width: number | null;
    height: number | null;
    bits_per_second: number;
    frames_per_second: number;
    key_frame_interval_ms: number | null;
  } | null;
  audio: { codec: string; bits_per_second: number; rate: number; channels: number } | null;
  troubles: readonly Trouble[];
}
