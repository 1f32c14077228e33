/**
 * Passes messages between a data channel that must stay on its page and a worker's port, without copying: buffers are
 * transferred. Bytes from the worker are acknowledged as the channel takes them, so backpressure reaches through.
 */
import type { Bytes } from "../../../base/bytes.ts";
import type { Channel } from "../channel.ts";
import { PortChannel } from "../message-port/port-channel.ts";

const QUEUED_BYTES_MAX = 1024 * 1024;
const QUEUED_BYTES_LOW = 256 * 1024;

/** Relays until either side closes; what the worker sent before it closed still goes out. */
export function relay(channel: Channel, port: MessagePort): void {
  const worker = new PortChannel(port, { state: "open", acknowledges: "owner" });
  const queue: (string | ArrayBuffer)[] = [];
  let isEnding = false;
  const pump = (): void => {
    while (queue.length > 0 && channel.readyState === "open" && channel.bufferedAmount <= QUEUED_BYTES_MAX) {
      const data = queue.shift() as string | ArrayBuffer;
      if (typeof data === "string") {
        channel.send(data);
      } else {
        channel.send(new Uint8Array(data) satisfies Bytes);
        worker.acknowledge(data.byteLength);
      }
    }
    if (isEnding && (queue.length === 0 || channel.readyState !== "open")) channel.close();
  };
  const open = (): void => {
    worker.sayOpen();
    pump();
  };
  channel.binaryType = "arraybuffer";
  channel.bufferedAmountLowThreshold = QUEUED_BYTES_LOW;
  channel.onbufferedamountlow = pump;
  channel.onopen = open;
  channel.onclose = () => worker.close();
  channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    if (worker.readyState === "open") worker.send(typeof data === "string" ? data : new Uint8Array(data));
  };
  worker.onclose = () => {
    isEnding = true;
    pump();
  };
  worker.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    queue.push(data);
    pump();
  };
  if (channel.readyState === "open") open();
}
