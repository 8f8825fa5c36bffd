// One's own microphone, camera and screen: what the devices do and what the meeting was told. A
// source goes on when both agree, and off at once. Knows neither socket nor screen.

import type { CaptureParts } from "./parts";
import { canShareScreen, DeviceError, type DeviceCause } from "../client/devices";
import type { Command, Outcome, Participant, Policy, Role, Source } from "../client/protocol";
import { sourceOn } from "../client/protocol";
import { exempt, sourceHindrance } from "./permissions";
import type { Hindrance, OwnSource } from "./types";

type Kind = "microphone" | "camera";
/** The sources with a button; the sound of a screen goes with it. */
export type Button = Kind | "screen";

/** How somebody came to be in: let in, by a reload of the page, or told everything after a loss. */
export type Entrance = "admitted" | "reloaded" | "resynced";

export interface SourceHandlers {
  changed(): void;
  failed(device: Button, cause: DeviceCause): void;
  refused(error: unknown): void;
}

export class OwnSources {
  screen = false;
  screenError: DeviceCause | null = null;
  /** What a host asked for: may be turned on once, whatever the rules say. */
  private readonly asked = new Set<Source>();
  private readonly busy = new Map<Button, number>();
  private command: ((command: Command) => Promise<Outcome>) | null = null;

  constructor(
    private readonly capture: CaptureParts,
    private readonly handlers: SourceHandlers,
  ) {}

  /** In the meeting from now on. */
  enter(command: (command: Command) => Promise<Outcome>, self: Participant, policy: Policy, how: Entrance): void {
    this.command = command;
    for (const kind of ["microphone", "camera"] as const) this.enterWith(kind, self, policy, how);
    if (self.screen && !this.screen) {
      // The picker must be asked again after a reload.
      for (const source of ["screen", "screen-audio"] as const) void this.say(source, false);
    }
  }

  private enterWith(kind: Kind, self: Participant, policy: Policy, how: Entrance): void {
    const here = this.capture.isOn(kind);
    const there = self[kind];
    if (how === "reloaded" && there !== here) {
      void (there ? this.set(kind, true, self.role, policy) : this.local(kind, false));
    } else if (how === "resynced" && here !== there) {
      // A host may have muted us meanwhile.
      void (here ? this.local(kind, false) : this.say(kind, false));
    } else if (how === "admitted" && here) {
      const silent = kind === "microphone" && policy.muteOnEntry && !exempt(self.role);
      const may = !silent && sourceHindrance(self.role, policy, kind) === null;
      void (may ? this.set(kind, true, self.role, policy) : this.local(kind, false));
    }
  }

  /** Out of the meeting. `off` also closes the devices. */
  exit(off: boolean): void {
    this.command = null;
    this.asked.clear();
    this.busy.clear();
    if (this.screen) void this.local("screen", false);
    if (!off) return;
    void this.local("microphone", false);
    void this.local("camera", false);
  }

  /** A host asks for a source. */
  ask(source: Source): void {
    this.asked.add(source);
  }

  /** The meeting says how we are: what is off there goes off here. */
  agree(self: Participant): void {
    for (const button of ["microphone", "camera", "screen"] as const) {
      if (!this.isBusy(button) && this.isOn(button) && !sourceOn(self, button)) void this.local(button, false);
      else if (!this.isBusy(button) && !this.isOn(button) && sourceOn(self, button)) void this.say(button, false);
      if (sourceOn(self, button)) this.asked.delete(button);
    }
  }

  /** The browser's own button ended the share. */
  screenEnded(): void {
    this.screen = false;
    void this.say("screen", false);
    void this.say("screen-audio", false);
    this.handlers.changed();
  }

  async set(button: Button, on: boolean, role: Role | null, policy: Policy | null): Promise<void> {
    if (on && role && policy && this.hindrance(button, role, policy) !== null) return;
    this.count(button, 1);
    try {
      const audio = await this.local(button, on);
      // Another click came in between: it says what holds.
      if (audio === null || this.command === null || this.isOn(button) !== on) return;
      const told = this.say(button, on);
      if (button === "screen" && (audio || !on)) void this.say("screen-audio", on);
      const accepted = await told;
      if (on && !accepted) await this.local(button, false);
    } finally {
      this.count(button, -1);
    }
  }

  isOn(button: Button): boolean {
    return button === "screen" ? this.screen : this.capture.isOn(button);
  }

  hindrance(button: Button, role: Role, policy: Policy): Hindrance | null {
    if (button === "screen" && !canShareScreen()) return "unsupported";
    const hindrance = sourceHindrance(role, policy, button);
    return hindrance === "forbidden-by-policy" && this.asked.has(button) ? null : hindrance;
  }

  view(button: Button, role: Role | null, policy: Policy | null): OwnSource {
    return {
      on: this.isOn(button),
      busy: this.isBusy(button),
      hindrance: role && policy ? this.hindrance(button, role, policy) : null,
      error: button === "screen" ? this.screenError : this.capture.error(button),
    };
  }

  /** The device. Gives whether a screen has sound; null where it failed. */
  private async local(button: Button, on: boolean): Promise<boolean | null> {
    let audio = false;
    try {
      if (button === "microphone") await this.capture.setMicrophone(on);
      else if (button === "camera") await this.capture.setCamera(on);
      else {
        this.screenError = null;
        // Off at once, on when the picker gave something.
        if (!on) this.screen = false;
        const shared = await this.capture.setScreen(on);
        if (!shared) return null;
        audio = shared.audio;
        this.screen = on;
      }
    } catch (error) {
      const cause = error instanceof DeviceError ? error.cause : "unknown";
      if (button === "screen") this.screenError = cause === "cancelled" ? null : cause;
      if (cause !== "cancelled") this.handlers.failed(button, cause);
      return null;
    } finally {
      this.handlers.changed();
    }
    return audio;
  }

  /** The meeting. Whether it agreed. */
  private async say(source: Source, on: boolean): Promise<boolean> {
    if (!this.command) return false;
    try {
      await this.command({ do: "set-source", source, on });
      return true;
    } catch (error) {
      this.handlers.refused(error);
      return false;
    }
  }

  private isBusy(button: Button): boolean {
    return (this.busy.get(button) ?? 0) > 0;
  }

  private count(button: Button, by: number): void {
    this.busy.set(button, Math.max(0, (this.busy.get(button) ?? 0) + by));
    this.handlers.changed();
  }
}
