/** What the page and its engine worker say to each other (Comlink), and nothing else. */
import type { RoomView } from "./room-view.ts";

/**
 * What to compute on. "auto": a hardware GPU where there is one, else the CPU; "webgpu": an emulated GPU too; "wasm": the
 * CPU; "reference": the CPU by JavaScript alone, which is slow.
 */
export type DeviceChoice = "auto" | "webgpu" | "wasm" | "reference";

export interface EngineStart {
  readonly room: string;
  /** This tab's peer id: PeerJS's and the coordinator's. */
  readonly peer: string;
  /** `ws://host/coordinator`. */
  readonly coordinatorUrl: string;
  readonly device: DeviceChoice;
  /** The most device memory that this tab takes; null for no limit. */
  readonly memoryBudgetMiB: number | null;
  /** To the page's half of the WebRTC transport. */
  readonly rtc: MessagePort;
}

export interface EngineApi {
  /** Joins the room; views arrive until `leave`. */
  start(options: EngineStart, onView: (view: RoomView) => void): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  leave(): Promise<void>;
  /** A file that may be the room's data. @throws OptionError when it is not */
  offerFile(file: Blob): Promise<void>;
  sampleNow(): Promise<void>;
  /** From now on; what is above it is given back as soon as it can be. null for no limit. */
  setMemoryBudget(mebibytes: number | null): Promise<void>;
  /** Bytes sent over data channels by the browser's own count, told by the page. */
  browserCounted(bytes: number): Promise<void>;
}
