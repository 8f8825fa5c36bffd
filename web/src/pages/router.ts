/** Which page an address means. A few patterns need no library. Knows no page. */
import { type MouseEvent, useSyncExternalStore } from "react";

export type Route =
  | { page: "home" }
  | { page: "meeting" }
  | { page: "watch"; id: string }
  | { page: "studio"; id: string }
  | { page: "broadcasts" }
  | { page: "encoder"; id: string }
  | { page: "setup" }
  | { page: "sign-in" }
  | { page: "test" }
  | { page: "recordings" }
  | { page: "recording"; id: string }
  | { page: "people" }
  | { page: "account" }
  | { page: "invitation" }
  | { page: "gallery" }
  | { page: "not-found" };

export function routeOf(path: string): Route {
  const [first = "", second = "", ...more] = path.split("/").filter(Boolean);
  if (more.length > 0) return { page: "not-found" };
  if (second) {
    if (first === "m" || first === "number") return { page: "meeting" };
    if (first === "w") return { page: "watch", id: second };
    if (first === "studio") return { page: "studio", id: second };
    if (first === "broadcasts") return { page: "encoder", id: second };
    if (first === "recordings") return { page: "recording", id: second };
    return { page: "not-found" };
  }
  switch (first) {
    case "":
    case "index.html":
      return { page: "home" };
    case "setup":
    case "sign-in":
    case "test":
    case "recordings":
    case "broadcasts":
    case "people":
    case "account":
    case "invitation":
    case "gallery":
      return { page: first };
    default:
      return { page: "not-found" };
  }
}

const listeners = new Set<() => void>();
const notify = () => {
  for (const listener of listeners) listener();
};

/** Goes to another page of the app without loading it anew. */
export function navigate(address: string): void {
  history.pushState(null, "", address);
  window.scrollTo(0, 0);
  notify();
}

/** For a link within the app: a plain click does not load it anew. */
export function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(event.currentTarget.getAttribute("href") ?? "/");
}

/** The path and fragment of the page, drawn again when they change. */
export function useAddress(): string {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      window.addEventListener("popstate", listener);
      return () => {
        listeners.delete(listener);
        window.removeEventListener("popstate", listener);
      };
    },
    () => location.pathname,
  );
}
