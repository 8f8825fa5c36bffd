// A request that does not hang: connections die without a word, and then `fetch` waits for minutes.

/** Gives `ask` so long, with all that it reads of the answer; after that its signal aborts it. */
export async function timed<T>(milliseconds: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), milliseconds);
  try {
    return await ask(abort.signal);
  } finally {
    clearTimeout(timer);
  }
}
