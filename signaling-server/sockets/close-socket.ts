/** Ending a client's WebSocket with a reason: what all kinds of sockets of the server do alike. */
import type { WebSocket } from "ws";
import type { Clock } from "../../src/base/clock.ts";

/** For the close handshake. */
const CLOSE_MS_MAX = 2_000;
/** In a close frame. */
const REASON_BYTES_MAX = 123;

/** Codes of RFC 6455. */
export const CLOSE_NORMAL = 1000;
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_POLICY = 1008;

/** Closes `socket`; one that does not answer is gone 2 s later. */
export function closeSocket(socket: WebSocket, clock: Clock, code: number, reason: string): void {
  socket.close(code, cut(reason));
  const cancel = clock.after(CLOSE_MS_MAX, () => socket.terminate());
  socket.once("close", cancel);
}

/** As much of a sentence as fits into a close frame. */
function cut(reason: string): string {
  const bytes = Buffer.from(reason);
  return bytes.byteLength <= REASON_BYTES_MAX
    ? reason
    : `${bytes
        .subarray(0, REASON_BYTES_MAX - 3)
        .toString()
        .replace(/\uFFFD+$/u, "")}...`;
}
