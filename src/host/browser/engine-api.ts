/** What the page and its engine worker say to each other (Comlink), and nothing else. */
import type { Bytes } from "../../base/bytes.ts";
import type { Identity } from "../../network/transport/websocket-relay/identity.ts";
import type { Offer } from "../../network/wire/messages.ts";
import type { RoomView } from "./room-view.ts";

/**
 * What to compute on. "auto": a hardware GPU where there is one, else the CPU; "webgpu": an emulated GPU too; "wasm": the
 * CPU; "reference": the CPU by JavaScript alone, which is slow.
 */
export type DeviceChoice = "auto" | "webgpu" | "wasm" | "reference";

export interface EngineStart {
  readonly room: string;
  /** This tab's peer id, PeerJS's and the coordinator's, with the key that it is named after. */
  readonly identity: Identity;
  /** `ws://host/coordinator`. */
  readonly coordinatorUrl: string;
  readonly device: DeviceChoice;
  /** The most device memory that this tab takes; null for no limit. */
  readonly memoryBudgetMiB: number | null;
  /** Of the device's time, more than 0 and at most 1. */
  readonly share: number;
  /** To the page's half of the WebRTC transport. */
  readonly rtc: MessagePort;
  /** To the exchange of ports among this browser's tabs; null to go without. */
  readonly ports: MessagePort | null;
}

export interface EngineApi {
  /** Joins the room; views arrive until `leave`. */
  start(options: EngineStart, onView: (view: RoomView) => void): Promise<void>;
  /** What this tab gives, as the page sees it. */
  offered(offer: Offer): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Once the others hold this tab's part; with `isHasty`, or said twice, at once. */
  leave(isHasty: boolean, reason?: string): Promise<void>;
  /** The newest checkpoint as a safetensors file, optimizer state and all. @throws as `Member.exportCheckpoint` */
  exportCheckpoint(): Promise<Bytes>;
  /** A file that may be the room's data. @throws OptionError when it is not */
  offerFile(file: Blob): Promise<void>;
  sampleNow(): Promise<void>;
  /** From now on; what is above it is given back as soon as it can be. null for no limit. */
  setMemoryBudget(mebibytes: number | null): Promise<void>;
  /** Of the device's time, more than 0 and at most 1, from the next slot on. */
  setShare(share: number): Promise<void>;
  /** Bytes sent over data channels by the browser's own count, told by the page. */
  browserCounted(bytes: number): Promise<void>;
  /** What the browser answered when the page asked it to keep what is stored, which only pages may. */
  storagePersists(isPersistent: boolean): Promise<void>;
}
