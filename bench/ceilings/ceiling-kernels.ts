/** WGSL of the kernels that find what a device can do at most, and what each invocation of them does. */

/** Of a workgroup. */
const LANES = 256;
/** 64 MiB. */
export const COPY_BYTES: number = 1 << 26;
/** 256 KiB of floats: more than registers, less than the caches near a core. */
const TABLE_FLOATS = 1 << 16;

export interface CeilingKernel {
  readonly name: string;
  readonly unit: string;
  readonly code: string;
  /** Workgroups of a dispatch. */
  readonly groups: number;
  /** What all invocations do in one dispatch: bytes, operations, loads; `rounds` is the loop's length. */
  amount(rounds: number): number;
  /** False for a kernel whose work is fixed. */
  readonly hasRounds: boolean;
}

const HEADER = `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_: array<vec4f>;
@group(0) @binding(2) var<uniform> rounds: vec4u;
`;

const COPY_GROUPS = COPY_BYTES / 16 / LANES;
const COMPUTE_GROUPS = 256;
const INVOCATIONS = COMPUTE_GROUPS * LANES;

/** Eight chains of vec4, so that a core waits for none of them. */
const CHAINS = [..."abcdefgh"];

export const CEILING_KERNELS: readonly CeilingKernel[] = [
  {
    name: "copy of 64 MiB",
    unit: "GB/s",
    groups: COPY_GROUPS,
    hasRounds: false,
    amount: () => 2 * COPY_BYTES,
    code: `${HEADER}
@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3u) { target_[id.x] = source[id.x]; }`,
  },
  {
    name: "f32 multiply-add in registers",
    unit: "GFLOP/s",
    groups: COMPUTE_GROUPS,
    hasRounds: true,
    amount: (rounds) => INVOCATIONS * rounds * CHAINS.length * 4 * 2,
    code: `${HEADER}
@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = source[id.x];
  ${CHAINS.map((name, i) => `var ${name} = x * ${i + 1}.0;`).join(" ")}
  for (var round = 0u; round < rounds.x; round++) {
    ${CHAINS.map((name) => `${name} = fma(${name}, x, x);`).join(" ")}
  }
  target_[id.x] = ${CHAINS.join(" + ")};
}`,
  },
  loads("uniform storage loads", "(i * 4u + rounds.y) & MASK"),
  loads("gathered storage loads", "(i * 4u + id.x * 7919u) & MASK"),
];

/** Four floats a round, each invocation at places of `index`: the same for all, or scattered. */
function loads(name: string, index: string): CeilingKernel {
  const load = (offset: number): string => `table[at ^ ${offset}u]`;
  return {
    name,
    unit: "G loads/s",
    groups: COMPUTE_GROUPS,
    hasRounds: true,
    amount: (rounds) => INVOCATIONS * rounds * 4,
    code: `${HEADER.replace("source: array<vec4f>", "table: array<f32>")}
const MASK = ${TABLE_FLOATS - 1}u;
@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3u) {
  var sum = vec4f();
  for (var i = 0u; i < rounds.x; i++) {
    let at = ${index};
    sum += vec4f(${[0, 1, 2, 3].map(load).join(", ")});
  }
  target_[id.x] = sum;
}`,
  };
}
