/**
 * Workgroups: each by itself, with its shared arrays in scratch memory.
 *
 * A workgroup of several vectors is cut at its barriers: between two of them each vector runs to the end of the part,
 * then the next one. What is computed before a barrier and used after it is kept for each vector; loops and conditions
 * around barriers are the same for all lanes (`numbering.ts` checks that), and go around the vectors.
 */
import { assert } from "../../../base/assert.ts";
import { lanesOf } from "../kernel.ts";
import type { Block, Line, Value } from "../numbered-kernel.ts";
import { nameSubgroup, PARAMETERS, type Body } from "./body.ts";
import type { Local } from "./code.ts";
import { VECTOR_BYTES } from "./frame.ts";
import { LANES } from "./lane-forms.ts";

/** Writes the loop over the workgroups of [from, to). */
export function workgroups(body: Body): void {
  const { kernel, code, frame, values } = body;
  const lanes = lanesOf(kernel);
  const [workgroup, end] = [code.local("i32"), code.local("i32")];
  for (const [local, parameter] of [
    [workgroup, PARAMETERS.from],
    [end, PARAMETERS.to],
  ] as const) {
    code.get(parameter);
    code.i32(lanes);
    code.op("i32.div_u");
    code.set(local);
  }
  const shared = kernel.workgroup?.shared ?? [];
  const bytes = shared.map(({ length }) => length * 4);
  const places = bytes.map((count) => frame.take(count));
  for (const [i, offset] of places.entries()) {
    frame.bind(`s${i}`, { base: frame.scratch, offset, shift: 2, isPerLane: false });
  }
  values.setName("workgroup", { type: "i32", local: workgroup });
  const writer = new WorkgroupWriter(body, workgroup);
  code.while(
    () => {
      code.get(workgroup);
      code.get(end);
      code.op("i32.lt_s");
    },
    () => {
      for (const [i, offset] of places.entries()) {
        if (shared[i]?.isStoredFirst === true) continue;
        code.get(frame.scratch);
        code.i32(offset);
        code.op("i32.add");
        code.i32(0);
        code.i32(bytes[i] ?? 0);
        code.fill();
      }
      writer.write();
      code.get(workgroup);
      code.i32(1);
      code.op("i32.add");
      code.set(workgroup);
    },
  );
}

class WorkgroupWriter {
  readonly #body: Body;
  readonly #workgroup: Local;
  /** The number of the first lane of the vector at hand. */
  readonly #firstLane: Local;
  readonly #isOneVector: boolean;

  constructor(body: Body, workgroup: Local) {
    this.#body = body;
    this.#workgroup = workgroup;
    this.#firstLane = body.code.local("i32");
    this.#isOneVector = body.frame.vectors === 1;
  }

  write(): void {
    const { lines, numbered, values } = this.#body;
    const [each] = numbered.root.lines;
    assert(each?.kind === "each", "print: expected the body of a kernel");
    if (this.#isOneVector) {
      const mask = this.#nameLanes();
      return lines.with(mask, false, () => lines.at(numbered.root.scope, 0, each));
    }
    values.loads.inBlock(() => {
      this.#evenLets(numbered.root, 0);
      this.#inVectors(() => {
        for (const value of this.#lets(numbered.root, 0)) lines.name(value);
      });
      this.#block(each.body);
    });
  }

  /** A block with barriers, or that of the kernel: parts without barriers, each by all vectors in turn. */
  #block(block: Block): void {
    const { lines, values } = this.#body;
    let from = 0;
    const flush = (to: number): void => {
      const part = block.lines.slice(from, to);
      if (part.some(({ kind }) => kind !== "nothing")) {
        for (const [i] of part.entries()) this.#evenLets(block, from + i);
        const first = from;
        this.#inVectors(() => part.forEach((line, i) => lines.at(block.scope, first + i, line)));
      }
      from = to + 1;
    };
    for (const [index, line] of block.lines.entries()) {
      if (!waits(line)) continue;
      flush(index);
      this.#evenLets(block, index);
      if (this.#lets(block, index).length > 0) {
        this.#inVectors(() => {
          for (const value of this.#lets(block, index)) lines.name(value);
        });
      }
      if (line.kind === "for") lines.evenFor(line, true, () => this.#block(line.body));
      else if (line.kind === "if") {
        values.scalar(line.condition);
        this.#body.code.if(() => values.loads.inBlock(() => this.#block(line.body)));
      }
    }
    flush(block.lines.length);
  }

  /** Names what all lanes of the workgroup have, outside of the loop over vectors. */
  #evenLets(block: Block, index: number): void {
    const { lines, values } = this.#body;
    for (const value of this.#lets(block, index)) {
      if (value.isUniform && !values.isTemporary(value)) lines.with(undefined, false, () => lines.name(value));
    }
  }

  #lets(block: Block, index: number): readonly Value[] {
    const { lines, values } = this.#body;
    return lines.letsAt(block.scope, index).filter((value) => !values.isTemporary(value));
  }

  /** `part` for each vector of the workgroup. */
  #inVectors(part: () => void): void {
    const { code, frame, lines, kernel } = this.#body;
    code.i32(0);
    code.set(this.#firstLane);
    const isThere = (): void => {
      code.get(this.#firstLane);
      code.i32(lanesOf(kernel));
      code.op("i32.lt_s");
    };
    code.while(isThere, () => {
      code.get(frame.scratch);
      code.get(this.#firstLane);
      code.i32(VECTOR_BYTES / LANES);
      code.op("i32.mul", "i32.add");
      code.set(frame.vectorScratch);
      lines.with(this.#nameLanes(), true, part);
      code.get(this.#firstLane);
      code.i32(LANES);
      code.op("i32.add");
      code.set(this.#firstLane);
    });
  }

  /** Names the lanes of the vector at hand; those that there are, if not all. */
  #nameLanes(): Local | undefined {
    const { code, values, kernel, numbered, mode } = this.#body;
    const lanes = lanesOf(kernel);
    nameSubgroup(values, code, numbered, mode);
    const type = mode.isRagged ? "v128" : "i32";
    const [lane, invocation] = [code.local(type), code.local(type)];
    const mask = mode.isRagged ? this.#raggedLanes(lane) : undefined;
    if (mask === undefined) {
      code.get(this.#firstLane);
      code.set(lane);
    }
    code.get(this.#workgroup);
    code.i32(lanes);
    code.op("i32.mul");
    if (mode.isRagged) code.op("i32x4.splat");
    code.get(lane);
    code.op(mode.isRagged ? "i32x4.add" : "i32.add");
    code.set(invocation);
    values.setName("lane", { type, local: lane });
    values.setName("invocation", { type, local: invocation });
    return mask;
  }

  /** The lanes, where those beyond the last are the last one; the mask of the others. */
  #raggedLanes(lane: Local): Local {
    const { code, kernel } = this.#body;
    const mask = code.local("v128");
    const last = lanesOf(kernel) - 1;
    code.get(this.#firstLane);
    code.op("i32x4.splat");
    code.lanes([0, 1, 2, 3]);
    code.op("i32x4.add");
    code.tee(lane);
    code.i32x4(last);
    code.op("i32x4.le_s");
    code.set(mask);
    code.get(lane);
    code.i32x4(last);
    code.op("i32x4.min_s");
    code.set(lane);
    return mask;
  }
}

/** True for a barrier, and for what has one inside. */
function waits(line: Line): boolean {
  return line.kind === "barrier" || ("body" in line && line.body.lines.some(waits));
}
