/**
 * `hearth/elements`: custom elements for a page of one's own. Importing this registers them; each shows the `RoomView`
 * set as its `view` property (`<hearth-memory>` one member's memory, set as `memory`), and takes its looks from the
 * custom properties listed in `theme`.
 *
 * ```ts
 * import { join } from "hearth/swarm";
 * import "hearth/elements";
 *
 * const chart = document.querySelector("hearth-loss-chart");
 * const run = await join(roomUrl, { worker });
 * run.addEventListener("view", () => (chart.view = run.view));
 * ```
 */
export { HearthFire } from "./host/browser/elements/fire.ts";
export { HearthLinkMatrix } from "./host/browser/elements/link-matrix.ts";
export { HearthLossChart } from "./host/browser/elements/loss-chart.ts";
export { HearthMemory } from "./host/browser/elements/memory.ts";
export { HearthMembers } from "./host/browser/elements/members.ts";
export { HearthRoomLink } from "./host/browser/elements/room-link.ts";
export { HearthSample } from "./host/browser/elements/sample.ts";
export { HearthStatus } from "./host/browser/elements/status.ts";
export { HearthStepTime } from "./host/browser/elements/step-time.ts";
export { PacedElement, ViewElement } from "./host/browser/elements/view-element.ts";
export { formatBytes, formatMemory, formatMs, plural } from "./host/browser/elements/format.ts";
export { offerWords } from "./host/browser/elements/offer-words.ts";
export { theme } from "./host/browser/elements/theme.ts";
export type { CellUse, MemorySummary, UsedFor } from "./network/wire/memory-summary.ts";
export type { Offer } from "./network/wire/messages.ts";
export type { RoomView } from "./host/browser/room-view.ts";
