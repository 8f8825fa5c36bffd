/** Which keys do what. Knows no page. */
import styles from "./KeyList.module.css";

/** The keys, any of which does it, and what. */
export type KeyRow = [keys: string[], words: string];

export function KeyList({ rows }: { rows: KeyRow[] }) {
  return (
    <dl className={styles.keys}>
      {rows.map(([keys, words]) => (
        <div key={words} className={styles.row}>
          <dt>{words}</dt>
          <dd>
            {keys.map((key) => (
              <kbd key={key} className={styles.key}>
                {key}
              </kbd>
            ))}
          </dd>
        </div>
      ))}
    </dl>
  );
}
