/** A thread with a dataset: number i as float32 [2], and its label. Options make it fail in every way. */
import { CorruptDataError, OptionError } from "../../../../src/base/errors.ts";
import { threadScopePort } from "../../../../src/host/node/worker-ports.ts";
import type { Dataset } from "../../../../src/model/data/dataset/dataset.ts";
import { int32 } from "../../../../src/model/data/loader/collate.ts";
import { serveDataset } from "../../../../src/model/data/loader/serve-dataset.ts";

export interface NumbersOptions {
  readonly length: number;
  /** At this example: throw, hang, or end the thread. */
  readonly at?: number;
  readonly fault?: "throw" | "hang" | "exit" | "crash" | "function";
  readonly refuse?: boolean;
}

class Numbers implements Dataset<unknown> {
  readonly #options: NumbersOptions;

  constructor(options: NumbersOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#options.length;
  }

  get(index: number): unknown {
    if (index === this.#options.at) return this.#fail();
    return { x: Float32Array.of(index, -index), label: int32(index) };
  }

  #fail(): unknown {
    switch (this.#options.fault) {
      case "throw":
        throw new CorruptDataError("torn");
      case "hang":
        return new Promise(() => {});
      case "exit":
        return process.exit(3);
      case "crash":
        setTimeout(() => {
          throw new OptionError("crashed");
        }, 0);
        return new Promise(() => {});
      default:
        return () => 1;
    }
  }
}

serveDataset(threadScopePort(), (options: NumbersOptions) => {
  if (options.refuse === true) throw new OptionError("no such data");
  return new Numbers(options);
});
