/** The few things the pages ask over HTTP. Knows no page. */

export type Answer<T> = { ok: true; value: T } | { ok: false; code: string; retryAfter: number | null };

async function post(path: string, body: unknown): Promise<Answer<unknown>> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    return { ok: false, code: "unreachable", retryAfter: null };
  }
  const said: unknown = await response.json().catch(() => null);
  if (response.ok) return { ok: true, value: said };
  const code = field(said, "code") ?? (response.status >= 500 ? "internal" : "other");
  const seconds = Number(response.headers.get("retry-after"));
  return { ok: false, code, retryAfter: Number.isFinite(seconds) && seconds > 0 ? seconds : null };
}

function field(value: unknown, name: string): string | null {
  if (typeof value !== "object" || value === null) return null;
  const found = (value as Record<string, unknown>)[name];
  return typeof found === "string" ? found : null;
}

/** Makes a meeting; gives the address within this app at which its maker is host. */
export async function startMeeting(): Promise<Answer<string>> {
  const answer = await post("/api/v1/meetings", {});
  if (!answer.ok) return answer;
  const url = field(answer.value, "host_url");
  if (!url) return { ok: false, code: "internal", retryAfter: null };
  const { pathname, search, hash } = new URL(url, location.href);
  return { ok: true, value: pathname + search + hash };
}

export interface Account {
  name: string;
  password: string;
}

export async function signIn(account: Account): Promise<Answer<null>> {
  const answer = await post("/api/v1/sign-in", account);
  return answer.ok ? { ok: true, value: null } : answer;
}

/** `token` is the secret of the one-time link. */
export async function setUp(account: Account, token: string): Promise<Answer<null>> {
  const answer = await post("/api/v1/setup", { ...account, token });
  return answer.ok ? { ok: true, value: null } : answer;
}
