/** Two ends of a link of a given bandwidth: what goes in at one comes out at the other when its last byte has passed. */
import { MessageChannel as NodeMessageChannel, type MessagePort as NodeMessagePort } from "node:worker_threads";
import { systemClock } from "../../src/base/clock.ts";

export interface ShapedLink {
  readonly ends: readonly [NodeMessagePort, NodeMessagePort];
  /** Of each direction, from now on. */
  bytesPerMs: number;
  close(): void;
}

/** Until told otherwise as fast as ports are. */
export function shapedLink(): ShapedLink {
  const [a, b] = [new NodeMessageChannel(), new NodeMessageChannel()];
  const link = {
    ends: [a.port1, b.port1] as const,
    bytesPerMs: Infinity,
    close: () => [a.port2, b.port2].forEach((port) => port.close()),
  };
  forward(a.port2, b.port2, () => link.bytesPerMs);
  forward(b.port2, a.port2, () => link.bytesPerMs);
  return link;
}

function forward(from: NodeMessagePort, to: NodeMessagePort, bytesPerMs: () => number): void {
  const waiting: { readonly message: unknown; readonly atMs: number }[] = [];
  let freeAtMs = 0;
  let isDue = false;
  const deliver = (): void => {
    isDue = false;
    while (waiting[0] !== undefined && waiting[0].atMs <= systemClock.nowMs()) {
      const { message } = waiting.shift() ?? {};
      const buffer = bufferOf(message);
      to.postMessage(message, buffer ? [buffer] : []);
    }
    const [next] = waiting;
    if (next === undefined || isDue) return;
    isDue = true;
    systemClock.after(Math.max(0, next.atMs - systemClock.nowMs()), deliver);
  };
  from.on("message", (message: unknown) => {
    freeAtMs = Math.max(freeAtMs, systemClock.nowMs()) + (bufferOf(message)?.byteLength ?? 0) / bytesPerMs();
    waiting.push({ message, atMs: freeAtMs });
    if (!isDue) deliver();
  });
}

/** What acknowledges has no bytes, and takes no time. */
function bufferOf(message: unknown): ArrayBuffer | null {
  const { data } = message as { readonly data?: unknown };
  return data instanceof ArrayBuffer ? data : null;
}
