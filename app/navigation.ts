/** The addresses `/`, `/pool`, `/room/<id>` and `/inspect/<model>`, over the history API. */

export type Route =
  | { readonly kind: "home" }
  | { readonly kind: "room"; readonly room: string }
  | { readonly kind: "pool" }
  | { readonly kind: "inspect"; readonly model: string | null }
  | { readonly kind: "unknown"; readonly path: string };

const ROOM_PATH = /^\/room\/([\w-]+)\/?$/;
const INSPECT_PATH = /^\/inspect(?:\/([\w-]+))?\/?$/;
const ROOM_ID = /^[\w-]{4,128}$/;

/** Fired on `window` when the address changes without a page load. */
const NAVIGATED = "hearth-navigated";

/** What the address asks for. */
export function routeOf(path: string): Route {
  if (path === "/" || path === "/index.html") return { kind: "home" };
  if (/^\/pool\/?$/.test(path)) return { kind: "pool" };
  const inspect = INSPECT_PATH.exec(path);
  if (inspect !== null) return { kind: "inspect", model: inspect[1] ?? null };
  const room = ROOM_PATH.exec(path)?.[1];
  return room === undefined ? { kind: "unknown", path } : { kind: "room", room };
}

/** The room that somebody pasted, as a link or a bare id; null when it is neither. */
export function parseRoom(pasted: string): string | null {
  const text = pasted.trim();
  if (ROOM_ID.test(text)) return text;
  const link = URL.canParse(text) ? text : `https://${text}`;
  if (!URL.canParse(link)) return null;
  const route = routeOf(new URL(link).pathname);
  return route.kind === "room" ? route.room : null;
}

/** Goes to `path` within the page, and keeps the query (`?device=...`). */
export function navigate(path: string): void {
  history.pushState(null, "", `${path}${location.search}`);
  dispatchEvent(new Event(NAVIGATED));
}

/** Gives the page at hand another address, and keeps the query. Nobody is told. */
export function rename(path: string): void {
  history.replaceState(null, "", `${path}${location.search}`);
}

/** Calls `changed` at each change of address, back and forward included, until `signal` aborts. */
export function onNavigation(changed: () => void, signal: AbortSignal): void {
  addEventListener(NAVIGATED, changed, { signal });
  addEventListener("popstate", changed, { signal });
}
