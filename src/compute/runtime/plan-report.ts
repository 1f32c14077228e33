/** What a plan says of itself, as plain data: for people, tests and the app's page, and safe to send to another thread. */
import type { Shape } from "../compiler/ir.ts";
import type { DType } from "../layout/dtype.ts";

/** One kernel of a plan. */
export interface KernelReport {
  /** What it computes: "sum [128, 64] -> [128, 1]; multiply add". */
  readonly name: string;
  readonly invocations: number;
  /** Arrays that it binds. */
  readonly bindings: number;
  /** Its WGSL, whatever the device: another device runs its own print of the same tree. */
  readonly source: string;
  /** Bytes of the arrays that it reads, each once, however often it comes back to them. */
  readonly readBytes: number;
  /** Bytes of the arrays that it writes, each once. */
  readonly writtenBytes: number;
  /** Floating-point operations, estimated from its loops: see `lang/count-operations.ts`. */
  readonly operations: number;
  /** The nodes that it stores, by their place in `graph.after.nodes`. */
  readonly outputs: readonly number[];
  /** Milliseconds in the last profile; null before one, and where the device cannot tell. */
  readonly ms: number | null;
}

/** A value of a graph. */
export interface GraphNodeReport {
  /** Its place in `nodes`. */
  readonly id: number;
  /** The primitive: "binary". */
  readonly kind: string;
  /** The primitive with what distinguishes it: "binary add", "permute 1, 0". */
  readonly label: string;
  readonly shape: Shape;
  readonly dtype: DType;
  /** By their places; always before it. */
  readonly inputs: readonly number[];
  /** The kernels that compute it, each again: several where it was cheaper than storing it. None for leaves, for what nobody reads, and in the graph before. */
  readonly kernels: readonly number[];
  /** True when its bytes are in memory: a leaf, or what a kernel stores. Only leaves in the graph before. */
  readonly isStored: boolean;
  /** Bytes that it takes, or would take, in memory. */
  readonly bytes: number;
}

/** A graph, inputs before readers. */
export interface GraphReport {
  readonly nodes: readonly GraphNodeReport[];
  /** What is asked for, by place: first what the function returns, then the values of its updates. */
  readonly outputs: readonly number[];
}

/** A plan: what it was made from, and what it runs. */
export interface PlanReport {
  readonly graph: {
    /** As the operations made it. */
    readonly before: GraphReport;
    /** As it was lowered: equal nodes merged, long reductions cut. */
    readonly after: GraphReport;
  };
  /** In the order in which they run. */
  readonly kernels: readonly KernelReport[];
  /** Bytes of device memory that the plan holds for what is between inputs and results. */
  readonly scratchBytes: number;
}
