/**
 * The part of RTCDataChannel that a link is made of. A real channel fits as it is; MessagePorts and the simulator
 * imitate it, so that one link, with one handshake and one way to hold back, serves all of them.
 */
import type { Bytes } from "../../base/bytes.ts";

export interface Channel {
  readonly readyState: RTCDataChannelState;
  /** Bytes accepted by `send` that have not left yet. */
  readonly bufferedAmount: number;
  /** `onbufferedamountlow` fires when `bufferedAmount` falls to this. */
  bufferedAmountLowThreshold: number;
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: Event) => void) | null;
  onbufferedamountlow: ((event: Event) => void) | null;
  send(data: string): void;
  send(data: Bytes): void;
  close(): void;
}

/** Data channels of Chromium and Firefox carry at most this in one message. */
export const MESSAGE_BYTES_MAX: number = 256 * 1024;
