/** A QR code as an SVG path. Knows nothing of what it says. */
import { useMemo } from "react";
import { encode } from "uqr";
import styles from "./QrCode.module.css";

/** White in every theme, with the four modules of quiet around it: some readers insist on both. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { path, size } = useMemo(() => {
    const code = encode(text, { ecc: "M", border: 4 });
    const modules = code.data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { path: modules.join(""), size: code.size };
  }, [text]);
  return (
    <svg className={styles.qr} viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={size} height={size} className={styles.ground} />
      <path d={path} className={styles.module} />
    </svg>
  );
}
