// What a recording of the meeting one is in means to oneself: what is said of it, and what stays on the page. Pure.

import type { Recording, RecordingEnd } from "../client/protocol";
import { permits } from "./permissions";
import { type Roster, you } from "./roster";
import type { NoticeWhat } from "./types";

/** `own`: one did it oneself. Pauses of the disk are said by what is wrong with it. */
export function recordingNotices(before: Recording | null, now: Recording | null, ended: RecordingEnd | undefined, own: boolean, by: string | null): NoticeWhat[] {
  if (now && now.id !== before?.id) return own ? [{ kind: "recording", what: "began", recording: now.id }] : [{ kind: "consent", by }];
  if (now && before && now.state !== before.state) {
    if (now.state === "paused") return [{ kind: "recording", what: "paused", recording: now.id }];
    if (now.state === "recording") return [{ kind: "recording", what: "resumed", recording: now.id }];
  }
  if (!ended || ended.why === "meeting-ended") return [];
  return [{ kind: "recording", what: ended.why, recording: ended.id }];
}

/** Who comes into a meeting that is recorded is told so, once. */
export function consentNotices(before: Roster | null, recording: Recording | null): NoticeWhat[] {
  return recording && before?.inside?.lastRecording !== recording.id ? [{ kind: "consent", by: null }] : [];
}

/** What somebody may watch after the meeting who led it. */
export function replayOf(roster: Roster | null): string | null {
  const self = roster ? you(roster) : null;
  return self && permits(self.role, "Record") ? (roster?.inside?.lastRecording ?? null) : null;
}
