/** The server as a child process: started with a folder, killed, started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PeerLostError } from "../../src/base/errors.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export class ServerProgram {
  readonly child: ChildProcess;
  output = "";
  errors = "";

  constructor(...args: string[]) {
    const main = join(ROOT, "signaling-server", "main.ts");
    this.child = spawn(process.execPath, ["--import", "tsx", main, ...args], { cwd: ROOT });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.errors += chunk.toString()));
  }

  /** One that answers, on a port of its own unless one is given. */
  static async start(data: string, port = 0, ...more: string[]): Promise<ServerProgram> {
    const program = new ServerProgram("--port", String(port), "--data", data, ...more);
    while (!program.output.includes("\n")) {
      if (program.child.exitCode !== null) throw new PeerLostError("server", program.errors);
      await Promise.race([once(program.child.stdout as NodeJS.ReadableStream, "data"), once(program.child, "exit")]);
    }
    return program;
  }

  get origin(): string {
    return this.output.trim().replace("hearth: ", "");
  }

  get port(): number {
    return Number(new URL(this.origin).port);
  }

  /** Its exit code and what it printed, once it has ended. */
  async outcome(): Promise<{ code: number | null; errors: string; output: string }> {
    const { child } = this;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return { code: child.exitCode, errors: this.errors, output: this.output };
  }
}
