// Cameras, microphones and speakers: which there are, which was chosen, and why one gives nothing.
// Knows neither meeting nor screen; causes are stable words.

export type DeviceKind = "microphone" | "camera" | "speaker";

export interface DeviceOption {
  id: string;
  label: string;
  number: number;
}

export type DeviceCause =
  | "denied" | "blocked" | "none" | "in-use" | "unplugged" | "cancelled" | "unsupported" | "unknown";

export class DeviceError extends Error {
  constructor(override readonly cause: DeviceCause) {
    super(cause);
    this.name = "DeviceError";
  }
}

const PREFIX = "symposia.device.";
const KINDS: Record<MediaDeviceKind, DeviceKind> = {
  audioinput: "microphone", videoinput: "camera", audiooutput: "speaker",
};

/** Why `getUserMedia` or `getDisplayMedia` failed, in our words. */
export function causeOf(error: unknown, secure = globalThis.isSecureContext ?? true): DeviceCause {
  if (!secure) return "blocked";
  const { name = "", message = "" } = (error ?? {}) as { name?: string; message?: string };
  switch (name) {
    case "NotAllowedError":
    case "PermissionDeniedError":
    case "SecurityError":
      // Chromium says "Permission denied by system"; Firefox and Safari name the platform whoever refused.
      if (/system/i.test(message)) return "blocked";
      return "denied";
    case "NotFoundError":
    case "DevicesNotFoundError":
    case "OverconstrainedError":
      return "none";
    case "NotReadableError":
    case "TrackStartError":
      return "in-use";
    // Firefox, where the system or another program holds the device.
    case "AbortError":
      return "in-use";
    case "NotSupportedError":
    case "TypeError":
      return "unsupported";
    default:
      return "unknown";
  }
}

export function rememberDevice(kind: DeviceKind, id: string, storage: Storage = localStorage): void {
  try {
    storage.setItem(PREFIX + kind, id);
  } catch {
    // Not remembered, then.
  }
}

export function rememberedDevice(kind: DeviceKind, storage: Storage = localStorage): string | null {
  try {
    return storage.getItem(PREFIX + kind);
  } catch {
    return null;
  }
}

/** The devices of each kind. Before permission was given browsers tell neither ids nor labels. */
export function sorted(found: readonly MediaDeviceInfo[]): Record<DeviceKind, DeviceOption[]> {
  const options: Record<DeviceKind, DeviceOption[]> = { microphone: [], camera: [], speaker: [] };
  for (const { kind, deviceId, label } of found) {
    const list = options[KINDS[kind]];
    // Chromium lists the default device twice, once under an alias.
    if (deviceId === "" || deviceId === "communications") continue;
    if (list.some((option) => option.id === deviceId)) continue;
    list.push({ id: deviceId, label, number: list.length + 1 });
  }
  return options;
}

export async function listDevices(): Promise<Record<DeviceKind, DeviceOption[]>> {
  return sorted((await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? []);
}

/** The chosen one where it is still there, else the first. */
export function available(options: readonly DeviceOption[], chosen: string | null): string | null {
  return options.find((option) => option.id === chosen)?.id ?? options[0]?.id ?? null;
}

function constraints(kind: "microphone" | "camera", id: string | null): MediaStreamConstraints {
  const device = id === null ? {} : { deviceId: { exact: id } };
  if (kind === "microphone") {
    return { audio: { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true } };
  }
  const facing = id === null ? { facingMode: "user" } : {};
  return { video: { ...device, ...facing, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } } };
}

/**
 * Opens a device: the one named, or another where it is no longer there.
 * @throws DeviceError
 */
export async function openDevice(kind: "microphone" | "camera", id: string | null): Promise<MediaStreamTrack> {
  const media = navigator.mediaDevices;
  if (!media?.getUserMedia) throw new DeviceError(globalThis.isSecureContext ? "unsupported" : "blocked");
  try {
    const stream = await media.getUserMedia(constraints(kind, id));
    const track = stream.getTracks()[0];
    if (!track) throw new DeviceError("none");
    if (kind === "microphone") track.contentHint = "speech";
    return track;
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    const cause = causeOf(error);
    if (cause === "none" && id !== null) return openDevice(kind, null);
    throw new DeviceError(cause);
  }
}

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === "function";
}

/**
 * Asks which screen, window or tab, with its sound where the browser has it.
 * @throws DeviceError; `cancelled` when the picker was closed.
 */
export async function openScreen(framesPerSecond: number): Promise<{ video: MediaStreamTrack; audio: MediaStreamTrack | null }> {
  if (!canShareScreen()) throw new DeviceError("unsupported");
  try {
    const options: DisplayMediaStreamOptions & Record<string, unknown> = {
      video: { frameRate: { ideal: framesPerSecond, max: 30 } },
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
      // The meeting's own tab would show itself for ever.
      selfBrowserSurface: "exclude",
      surfaceSwitching: "include",
      systemAudio: "include",
    };
    const stream = await navigator.mediaDevices.getDisplayMedia(options);
    const video = stream.getVideoTracks()[0];
    if (!video) throw new DeviceError("none");
    return { video, audio: stream.getAudioTracks()[0] ?? null };
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    const cause = causeOf(error);
    // The picker that was closed and the browser's refusal look alike but for Chromium's words.
    throw new DeviceError(cause === "denied" && !/system/i.test(String(error)) ? "cancelled" : cause);
  }
}

/** Whether sound can be sent to a speaker of one's choice. */
export function canChooseSpeaker(): boolean {
  return typeof HTMLMediaElement !== "undefined" && "setSinkId" in HTMLMediaElement.prototype;
}

export type Browser = "chrome" | "edge" | "firefox" | "safari" | "ios" | "android" | "other";

/** For the help that differs per browser, and nothing else. */
export function browserOf(agent: string, touchPoints = 0): Browser {
  if (/iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1)) return "ios";
  if (/Android/.test(agent)) return "android";
  if (/Edg\//.test(agent)) return "edge";
  if (/Firefox\//.test(agent)) return "firefox";
  if (/Chrome\/|Chromium\//.test(agent)) return "chrome";
  if (/Safari\//.test(agent)) return "safari";
  return "other";
}
