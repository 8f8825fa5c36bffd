// The chat as the page shows it: the meeting's messages and those that are on their way.

import type { Audience, Command, Outcome } from "../client/protocol";
import { exempt, mayChatWithAll, permits } from "./permissions";
import { type Roster, you } from "./roster";
import type { ChatLine, ChatTarget, ChatView } from "./types";

export class Chat {
  private lines: ChatLine[] = [];
  private next = 1;
  /** Id of the newest message that was on the open panel. */
  private seen = 0;

  constructor(
    private readonly changed: () => void,
    private readonly refused: (error: unknown) => void,
  ) {}

  send(roster: Roster, to: Audience, text: string, command: (command: Command) => Promise<Outcome>): void {
    const line: ChatLine = {
      id: `own-${this.next++}`,
      from: roster.you,
      name: you(roster)?.name ?? "",
      mine: true,
      to,
      toName: nameOf(roster, to),
      at: Date.now(),
      text,
      state: "sending",
    };
    this.lines = [...this.lines, line];
    this.changed();
    command({ do: "send-chat", to, text }).then(
      () => {
        this.lines = this.lines.filter((other) => other.id !== line.id);
        this.changed();
      },
      (error: unknown) => {
        this.lines = this.lines.map((other) => (other.id === line.id ? { ...other, state: "failed" as const } : other));
        this.refused(error);
        this.changed();
      },
    );
  }

  resend(roster: Roster, id: string, command: (command: Command) => Promise<Outcome>): void {
    const line = this.lines.find((one) => one.id === id && one.state === "failed");
    if (!line) return;
    this.lines = this.lines.filter((one) => one !== line);
    this.send(roster, line.to, line.text, command);
  }

  /** A new admission: nothing of the last one is shown. */
  clear(): void {
    this.lines = [];
  }

  /** `open`: the panel is, so that everything counts as seen. */
  view(roster: Roster | null, open: boolean): ChatView {
    const inside = roster?.inside;
    const self = roster ? you(roster) : null;
    if (!roster || !inside || !self) return { lines: [], unread: 0, targets: [], hindrance: null };
    if (open) this.seen = Math.max(this.seen, inside.chat.at(-1)?.id ?? 0);
    const sent = inside.chat.map(
      (message): ChatLine => ({
        id: String(message.id),
        from: message.from,
        name: message.name,
        mine: message.from === roster.you,
        to: message.to,
        toName: nameOf(roster, message.to),
        at: message.at,
        text: message.text,
        state: "sent",
      }),
    );
    const unread = inside.chat.filter((message) => message.id > this.seen && message.from !== roster.you).length;
    const all = mayChatWithAll(self.role, inside.policy);
    const people = [...inside.participants.values()].filter(
      (person) => person.id !== roster.you && (all || exempt(person.role)),
    );
    const targets: ChatTarget[] = permits(self.role, "Chat")
      ? [
          ...(all ? [{ to: { kind: "everyone" as const } }] : []),
          { to: { kind: "hosts" as const } },
          ...people.map((person) => ({ to: { kind: "one" as const, participant: person.id }, name: person.name })),
        ]
      : [];
    return { lines: [...sent, ...this.lines], unread, targets, hindrance: all ? null : "forbidden-by-policy" };
  }
}

function nameOf(roster: Roster, to: Audience): string | null {
  return to.kind === "one" ? (roster.inside?.participants.get(to.participant)?.name ?? null) : null;
}
