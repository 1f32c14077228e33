/**
 * `node-webgpu`: a process of its own with Dawn in it, over the Vulkan driver that VK_ICD_FILENAMES names. `node-wasm`: one
 * that computes by WebAssembly.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { present } from "../../src/base/assert.ts";
import { systemClock } from "../../src/base/clock.ts";
import { UnsupportedError } from "../../src/base/errors.ts";
import { withDeadline } from "../../src/base/wait.ts";
import { hasMultiplyAdd } from "../../src/compute/device/wasm/features.ts";
import type { Backend } from "../options.ts";
import type { CaseReport, Stage } from "./case-report.ts";
import type { Host } from "./host.ts";
import type { ToChild, ToParent } from "./node-messages.ts";

const PROGRAM = fileURLToPath(new URL("./node-child.ts", import.meta.url));
const OPEN_MS_MAX = 60_000;
const LAST_WORDS_MAX = 300;

/** @throws UnsupportedError when the process does not get a device; DeadlineError */
export async function openNodeHost(backend: Backend, hasAllCores: boolean): Promise<Host> {
  const child = new Child(backend, hasAllCores);
  try {
    const opened = child.answer("ready");
    const { deviceName } = await withDeadline(`bench: opening ${backend} in Node`, opened, systemClock, { deadlineMs: OPEN_MS_MAX }); // prettier-ignore
    return {
      deviceName,
      measureCeilings: async () => (await child.ask({ kind: "ceilings" }, "ceilings")).ceilings,
      run: async (request, onStage): Promise<CaseReport> => {
        child.onStage = onStage;
        return (await child.ask({ kind: "run", request }, "report")).report;
      },
      close: () => child.close(),
    };
  } catch (error) {
    await child.close();
    throw error;
  }
}

type Answer<Kind extends ToParent["kind"]> = Extract<ToParent, { kind: Kind }>;

/** One question at a time. */
class Child {
  onStage: (stage: Stage) => void = () => {};
  readonly #process: ChildProcess;
  readonly #ended: Promise<string>;
  #settle: (message: ToParent) => void = () => {};
  #lastWords = "";

  constructor(backend: Backend, hasAllCores: boolean) {
    const loader = ["--import", import.meta.resolve("tsx")];
    // jax-js uses iterator helpers, which Node 20 keeps behind a flag that later ones no longer know.
    const helpers = "Iterator" in globalThis ? [] : ["--harmony-iterator-helpers"];
    // Node 20 has relaxed SIMD behind a flag, browsers have it as it is.
    const vectors = backend === "wasm" && !hasMultiplyAdd() ? ["--experimental-wasm-relaxed-simd"] : [];
    this.#process = fork(PROGRAM, [backend, ...(hasAllCores ? ["all-cores"] : [])], {
      execArgv: [...loader, ...helpers, ...vectors],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#process.on("message", (message: ToParent) => {
      if (message.kind === "stage") this.onStage(message.stage);
      else this.#settle(message);
    });
    present(this.#process.stderr, "the child's stderr").on("data", (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString()).slice(-LAST_WORDS_MAX);
    });
    this.#ended = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => resolve(signal ?? `code ${code}`));
    });
  }

  ask<Kind extends ToParent["kind"]>(question: ToChild, kind: Kind): Promise<Answer<Kind>> {
    const answer = this.answer(kind);
    this.#process.send(question);
    return answer;
  }

  async answer<Kind extends ToParent["kind"]>(kind: Kind): Promise<Answer<Kind>> {
    const said = new Promise<ToParent>((resolve) => (this.#settle = resolve));
    const message = await Promise.race([said, this.#ended]);
    if (typeof message === "string") {
      throw new UnsupportedError(`the process ended with ${message}: ${this.#lastWords.trim().replaceAll("\n", " ")}`);
    }
    if (message.kind === "failed") throw new UnsupportedError(message.error);
    if (message.kind !== kind) throw new UnsupportedError(`expected the answer ${kind}, found ${message.kind}`);
    return message as Answer<Kind>;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill("SIGKILL");
    await this.#ended;
  }
}
