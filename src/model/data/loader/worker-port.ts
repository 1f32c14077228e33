/** A line between a page (or a program) and a worker: the platform's, injected. */

export interface WorkerPort {
  /** Sends a structured clone; the buffers in `transfer` are moved. @throws what the platform throws for what it cannot clone */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Called once, before anything is posted. `failed`: the other side stopped or sent what cannot be read. */
  listen(onMessage: (message: unknown) => void, onFailed: (error: unknown) => void): void;
  /** Ends the line, and the worker if this is its owner's side. */
  close(): void;
}
