/** A picture with a name on it, or what stands in its place. Knows no meeting. */
import { Hand, MicOff } from "lucide-react";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { Avatar } from "./Avatar";
import { cx } from "./cx";
import { useSeen } from "./useSeen";
import styles from "./VideoTile.module.css";

export interface VideoTileProps {
  /** Everything that can be seen on it, for screen readers: "Ana, muted, hand raised". */
  label: string;
  name: string;
  initials: string;
  hue: number;
  stream: MediaStream | null;
  /** A picture that is made elsewhere, in place of a stream. */
  element?: HTMLElement | null | undefined;
  mirrored?: boolean | undefined;
  /** A screen is shown whole, a face fills the tile. */
  fit?: "cover" | "contain" | undefined;
  loading?: boolean | undefined;
  speaking?: boolean | undefined;
  muted?: boolean | undefined;
  hand?: boolean | undefined;
  away?: boolean | undefined;
  /** Said in the middle, in place of the picture. */
  note?: string | undefined;
  /** Small icons beside the name: pinned, spotlight, connection. */
  marks?: ReactNode;
  /** By which the page finds the tile that holds the focus. */
  tileKey?: string | undefined;
  /** In the other corner, always: what it says must not be missed. */
  corner?: ReactNode;
  /** In the corner, while the tile is pointed at or focused. */
  actions?: ReactNode;
  /** No name on it: where the page says it already. */
  bare?: boolean | undefined;
  /** Told the height in device pixels whenever it changes; 0 while nobody can see it. */
  onSeen?: ((height: number) => void) | undefined;
  className?: string | undefined;
}

export function VideoTile(props: VideoTileProps) {
  const { label, name, initials, hue, stream, element, mirrored, fit = "cover", loading, speaking, muted, hand, away } = props;
  const { note, marks, tileKey, corner, actions, bare, onSeen, className } = props;
  const tile = useRef<HTMLDivElement>(null);
  useSeen(tile, onSeen);
  const [pictured, setPictured] = useState<MediaStream | null>(null);
  const awaited = stream !== null && !note && pictured !== stream;
  return (
    <div ref={tile} className={cx(styles.tile, className)} role="group" aria-label={label} data-tile={tileKey} data-speaking={speaking || undefined}>
      {((!stream && !element) || note || awaited) && (
        <div className={styles.placeholder} aria-hidden="true">
          <Avatar initials={initials} hue={hue} size="fill" />
          {note && <p className={styles.note}>{note}</p>}
        </div>
      )}
      {stream && !note && (
        // Over the placeholder, and clear until its first picture: that one is not kept waiting for a render.
        <Picture
          stream={stream}
          className={cx(styles.video, styles[fit], mirrored && styles.mirrored)}
          onPicture={() => setPictured(stream)}
        />
      )}
      {element && !note && <Placed element={element} className={cx(styles.video, styles[fit])} />}
      {(loading || awaited) && <span className={styles.loading} aria-hidden="true" />}
      {away && <span className={styles.away} aria-hidden="true" />}
      {hand && (
        <span className={styles.hand} aria-hidden="true">
          <Hand />
        </span>
      )}
      {corner && <div className={styles.corner}>{corner}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
      {!bare && (
        <div className={styles.plate} aria-hidden="true">
          {muted && <MicOff className={styles.muted} />}
          <span className={styles.name}>{name}</span>
          {marks}
        </div>
      )}
      <span className={styles.ring} aria-hidden="true" />
    </div>
  );
}

/** An element that lives longer than the tile it is in. */
function Placed({ element, className }: { element: HTMLElement; className: string }) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current } = place;
    current?.append(element);
    return () => {
      // It may be in another tile by now.
      if (element.parentElement === current) element.remove();
    };
  }, [element]);
  return <div ref={place} className={cx(styles.placed, className)} />;
}

interface PictureProps {
  stream: MediaStream;
  className: string;
  /** Absent where the tile around it says everything. */
  label?: string | undefined;
  /** There is something to see. */
  onPicture?: (() => void) | undefined;
}

export function Picture({ stream, className, label, onPicture }: PictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    element.srcObject = stream;
    // A refusal to play a muted picture has no remedy here; the element tries again by `autoPlay`.
    element.play().catch(() => undefined);
    return () => {
      element.srcObject = null;
    };
  }, [stream]);
  const name = label ? { "aria-label": label } : { "aria-hidden": true };
  return (
    <video
      ref={video}
      className={className}
      autoPlay
      playsInline
      muted
      disablePictureInPicture
      tabIndex={-1}
      onLoadedData={onPicture}
      {...name}
    />
  );
}
