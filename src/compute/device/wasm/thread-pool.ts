/** The threads of a device beside the one that owns it. */
import { ThreadControl, type DispatchWords, type RunChunk } from "./thread-control.ts";
import type { FromThread, ThreadPort, ToThread } from "./thread.ts";

/** A compiled kernel, for threads to make instances of. */
export interface SharedKernel {
  readonly id: number;
  readonly module: WebAssembly.Module;
}

/** Works alone until its threads are ready; one that fails is done without. */
export class ThreadPool {
  readonly #control: ThreadControl;
  readonly #ports: readonly ThreadPort[];
  readonly #ready = new Set<ThreadPort>();
  /** What every thread has been told of. */
  readonly #known = new Map<number, SharedKernel>();

  constructor(memory: WebAssembly.Memory, controlAt: number, ports: readonly ThreadPort[]) {
    this.#control = new ThreadControl(memory, controlAt);
    this.#ports = ports;
    for (const [i, port] of ports.entries()) {
      port.listen(
        (message) => this.#onMessage(port, message as FromThread),
        () => this.#ready.delete(port),
      );
      tell(port, { kind: "start", memory, controlAt, thread: i + 1 });
    }
  }

  /** Threads, the owner included, whether they are ready or not. */
  get count(): number {
    return this.#ports.length + 1;
  }

  /** True where somebody would help. */
  get hasHelp(): boolean {
    return this.#ready.size > 0;
  }

  /** Makes a kernel known to all threads. */
  introduce(kernel: SharedKernel): void {
    if (this.#known.has(kernel.id)) return;
    this.#known.set(kernel.id, kernel);
    if (!this.hasHelp) return;
    const number = this.#control.recall();
    for (const port of this.#ready) {
      tell(port, { kind: "kernel", id: kernel.id, module: kernel.module });
      tell(port, { kind: "work", number });
    }
  }

  /** Does all of a dispatch. True where a thread failed. */
  share(words: DispatchWords, run: RunChunk): boolean {
    return this.#control.share(words, run);
  }

  close(): void {
    this.#control.recall();
    for (const port of this.#ports) port.close();
    this.#ready.clear();
  }

  #onMessage(port: ThreadPort, message: FromThread): void {
    if (message.kind === "failed") {
      this.#ready.delete(port);
      return port.close();
    }
    this.#ready.add(port);
    for (const { id, module } of this.#known.values()) tell(port, { kind: "kernel", id, module });
    const number = this.#control.recall();
    for (const each of this.#ready) tell(each, { kind: "work", number });
  }
}

function tell(port: ThreadPort, message: ToThread): void {
  port.post(message, []);
}
