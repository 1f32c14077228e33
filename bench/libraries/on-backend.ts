/** Several backends of one library in one thread: what is told to compute must be told again before each call. */
import type { Program, Programs } from "../cases/problem.ts";
import type { Library } from "./library.ts";

type Make = (problem: never) => Program | Promise<Program>;

/** `library`, with its backend chosen anew before whatever its programs do. */
export function onBackend({ lost, programs }: Library, choose: () => Promise<void>): Library {
  const wrapped = Object.entries<Make>({ ...programs }).map(([name, make]) => {
    const prepare = async (problem: never): Promise<Program> => {
      await choose();
      return programOn(await make(problem), choose);
    };
    return [name, prepare] as const;
  });
  return { lost, programs: Object.fromEntries(wrapped) as unknown as Programs };
}

function programOn(program: Program, choose: () => Promise<void>): Program {
  return {
    async step() {
      await choose();
      await program.step();
    },
    async wait() {
      await choose();
      await program.wait();
    },
    async results() {
      await choose();
      return program.results();
    },
    notes: () => program.notes(),
    dispose: () => program.dispose(),
  };
}
