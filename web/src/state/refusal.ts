// What failed, as a view shows it.

import { RestError } from "../client/rest";
import type { Refusal } from "./types";

export function refusalOf(error: unknown): Refusal {
  if (error instanceof RestError) return { code: error.code as Refusal["code"], retryAfter: error.retryAfter };
  return { code: "internal", retryAfter: null };
}
