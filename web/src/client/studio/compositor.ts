// Puts a screen and a camera into one picture, the camera small in a corner: one track, since that is what every
// player takes. Goes on while nobody looks at the page. Knows no page and no network.

export type Corner = "top-left" | "top-right" | "bottom-left" | "bottom-right";
export const CORNERS: readonly Corner[] = ["bottom-right", "bottom-left", "top-right", "top-left"];

/** Of the picture's width. */
const CAMERA_WIDTH = 0.23;
const CAMERA_SHAPE = 16 / 9;
const MARGIN = 0.022;
const ROUND = 0.012;
const GROUND = "#0b100e";
const FRAMES = 30;

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where the whole of a picture fits into a frame. */
export function contained(width: number, height: number, frame: { width: number; height: number }): Rect {
  const scale = Math.min(frame.width / width, frame.height / height);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  return { x: Math.round((frame.width - w) / 2), y: Math.round((frame.height - h) / 2), width: w, height: h };
}

/** The part of a picture that fills a shape. */
export function covering(width: number, height: number, shape: number): Rect {
  const w = Math.min(width, height * shape);
  const h = Math.min(height, width / shape);
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

export function inCorner(corner: Corner, frame: { width: number; height: number }): Rect {
  const width = Math.round(frame.width * CAMERA_WIDTH);
  const height = Math.round(width / CAMERA_SHAPE);
  const margin = Math.round(frame.width * MARGIN);
  return {
    x: corner.endsWith("left") ? margin : frame.width - width - margin,
    y: corner.startsWith("top") ? margin : frame.height - height - margin,
    width,
    height,
  };
}

export class Compositor {
  readonly track: MediaStreamTrack;
  corner: Corner = "bottom-right";
  private readonly canvas = document.createElement("canvas");
  private readonly context: CanvasRenderingContext2D | null;
  private readonly screen = player();
  private readonly camera = player();
  private readonly ticker = new Worker(new URL("./ticker.ts", import.meta.url), { type: "module" });

  constructor(width: number, height: number) {
    Object.assign(this.canvas, { width, height });
    // Without a context nothing can be captured in Firefox.
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.ticker.onmessage = () => this.draw();
    const track = this.canvas.captureStream(FRAMES).getVideoTracks()[0];
    if (!track) throw new Error("a canvas gives no track");
    this.track = track;
    this.draw();
  }

  set(screen: MediaStreamTrack | null, camera: MediaStreamTrack | null): void {
    show(this.screen, screen);
    show(this.camera, camera);
  }

  close(): void {
    this.ticker.terminate();
    this.track.stop();
    this.set(null, null);
  }

  private draw(): void {
    const { context, canvas, screen, camera } = this;
    if (!context) return;
    context.fillStyle = GROUND;
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (screen.videoWidth > 0) {
      const to = contained(screen.videoWidth, screen.videoHeight, canvas);
      context.drawImage(screen, to.x, to.y, to.width, to.height);
    }
    if (camera.videoWidth === 0) return;
    const to = inCorner(this.corner, canvas);
    const from = covering(camera.videoWidth, camera.videoHeight, CAMERA_SHAPE);
    const radius = Math.round(canvas.width * ROUND);
    context.save();
    context.beginPath();
    context.roundRect(to.x, to.y, to.width, to.height, radius);
    context.clip();
    context.drawImage(camera, from.x, from.y, from.width, from.height, to.x, to.y, to.width, to.height);
    context.restore();
    context.strokeStyle = "rgb(255 255 255 / 85%)";
    context.lineWidth = Math.max(2, Math.round(canvas.width / 640));
    context.beginPath();
    context.roundRect(to.x, to.y, to.width, to.height, radius);
    context.stroke();
  }
}

function player(): HTMLVideoElement {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  return video;
}

function show(video: HTMLVideoElement, track: MediaStreamTrack | null): void {
  const shown = (video.srcObject as MediaStream | null)?.getVideoTracks()[0] ?? null;
  if (shown === track) return;
  video.srcObject = track && new MediaStream([track]);
  // Muted, it needs no gesture; a source that ends meanwhile needs no player.
  if (track) video.play().catch(() => {});
}
