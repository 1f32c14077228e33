/**
 * Seeded random kernels of workgroups: shared and private arrays, barriers, subgroup operations.
 *
 * They race for nothing by construction. Between two barriers each array that lanes share is either *own* (a lane uses
 * places of its own, which may be those of another lane by the next barrier) or *frozen* (everybody loads anything,
 * nobody stores).
 */
import type { Random } from "../../../src/base/random.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { constant, laneOf, variable, workgroupOf } from "../../../src/compute/lang/expr.ts";
import {
  SUBGROUP_LANE,
  SUBGROUP_SIZE,
  type Expr,
  type Kernel,
  type ScalarType,
  type Statement,
  type SubgroupOp,
} from "../../../src/compute/lang/kernel.ts";
import {
  arrayIn,
  assign,
  BARRIER,
  Names,
  store,
  storeShared,
  varIn,
  type PrivateArray,
} from "../../../src/compute/lang/statements.ts";
import { BINDINGS, LENGTH, Maker } from "./random-kernel.ts";

const { add, i32, less, load, multiply, remainder } = build;
const TYPES = ["f32", "i32", "u32"] as const;
const SUBGROUP_OPS: readonly SubgroupOp[] = [
  "add",
  "maximum",
  "minimum",
  "product",
  "broadcastFirst",
  "broadcast",
  "shuffleXor",
];

/** How lanes use an array until the next barrier: their own places, rotated by so many lanes; or all of it. */
type Use = { readonly kind: "own"; readonly rotation: number } | { readonly kind: "frozen" };

/** The bindings are those of `randomKernel`. Lanes are a multiple of 4, and so must be the size of subgroups. */
export function randomWorkgroupKernel(random: Random, hasSubgroups: boolean): Kernel {
  return new WorkgroupMaker(random, hasSubgroups).kernel();
}

class WorkgroupMaker {
  readonly #random: Random;
  readonly #hasSubgroups: boolean;
  readonly #maker: Maker;
  readonly #lanes: number;
  readonly #workgroups: number;
  readonly #lane: Expr;
  readonly #workgroup: Expr;
  readonly #shared: { readonly type: (typeof TYPES)[number]; readonly length: number; readonly places: number }[];
  readonly #private: readonly PrivateArray[];
  /** What has been exchanged so far, of each type: so that it is seen in the end. */
  readonly #totals: readonly { readonly statement: Statement; readonly use: Expr }[];
  #sharedUses: Use[] = [];
  #bindingUses: Use[] = [];

  constructor(random: Random, hasSubgroups: boolean) {
    this.#random = random;
    this.#hasSubgroups = hasSubgroups;
    this.#lanes = random.pick([4, 8, 12, 32, 40]);
    this.#workgroups = 1 + random.below(Math.floor(LENGTH / this.#lanes));
    this.#lane = laneOf(this.#lanes);
    this.#workgroup = workgroupOf(this.#workgroups);
    this.#shared = Array.from({ length: random.below(3) }, () => {
      const places = 1 + random.below(2);
      return { type: random.pick([...TYPES]), length: this.#lanes * places + random.below(3), places };
    });
    const names = new Names();
    this.#private = TYPES.map((type) => arrayIn(names, "tile", type, 3));
    this.#totals = TYPES.map((type) => varIn(names, "total", constant(type, 0)));
    const subgroup = hasSubgroups ? [SUBGROUP_SIZE, SUBGROUP_LANE] : [];
    this.#maker = new Maker(random, {
      variables: [this.#lane, this.#workgroup, ...subgroup],
      leaf: (type) => this.#leaf(type),
      statement: () => this.#store(),
      isOwn: (at) => this.#isPlain(at),
    });
  }

  kernel(): Kernel {
    const body = [...this.#private, ...this.#totals].map(({ statement }) => statement);
    body.push(...this.#renew(), ...this.#phases(3, 0), ...this.#renew());
    this.#bindingUses = TYPES.map(() => ({ kind: "own", rotation: 0 }));
    for (const [i, type] of TYPES.entries()) {
      const value = this.#random.pick([this.#totals[i]?.use, this.#maker.expr(type, 4)]) ?? this.#maker.expr(type, 0);
      body.push(store(3 + i, this.#own(0, 0, true), value));
    }
    return {
      name: "random workgroups",
      bindings: BINDINGS,
      invocations: this.#lanes * this.#workgroups,
      workgroup: { lanes: this.#lanes, shared: this.#shared.map(({ type, length }) => ({ type, length })) },
      body,
    };
  }

  /** A barrier, after which arrays are used otherwise. */
  #renew(): Statement[] {
    const use = (): Use =>
      this.#random.below(2) === 0 ? { kind: "own", rotation: this.#random.below(this.#lanes) } : { kind: "frozen" };
    this.#sharedUses = this.#shared.map(use);
    this.#bindingUses = TYPES.map(use);
    this.#maker.forget();
    return [BARRIER];
  }

  /** Statements that all lanes come by. */
  #phases(count: number, depth: number): Statement[] {
    const out: Statement[] = [];
    for (let i = 0; i < count; i++) {
      out.push(...this.#maker.block(this.#random.below(4), 0), ...this.#uniform(depth));
      const type = this.#random.pick([...TYPES]);
      const other = this.#leaf(type);
      if (other !== undefined) out.push(this.#count(other));
    }
    return out;
  }

  #count(x: Expr): Statement {
    const total = this.#totals[TYPES.findIndex((type) => type === x.type)]?.use ?? x;
    return assign(total, add(total, x));
  }

  #uniform(depth: number): Statement[] {
    const random = this.#random;
    const inner = (): Statement[] =>
      this.#maker.scoped(() => [...this.#renew(), ...this.#phases(1 + random.below(2), depth + 1), ...this.#renew()]);
    switch (random.pick(["barrier", "subgroup", "subgroup", ...(depth < 2 ? ["for", "if"] : [])])) {
      case "barrier":
        return this.#renew();
      case "for": {
        const name = this.#maker.fresh();
        const from = random.below(3) - 1;
        const to = random.pick([i32(from + random.below(3)), remainder(this.#workgroup, i32(3))]);
        const body = this.#maker.scoped(() => {
          this.#maker.add(variable("i32", name));
          return inner();
        });
        return [...this.#renew(), { kind: "for", name, from: i32(from), to, body }, ...this.#renew()];
      }
      case "if": {
        const known = load(1, random.pick([i32(random.below(LENGTH)), this.#workgroup]), "i32");
        const condition = less(random.pick([known, this.#workgroup]), i32(random.below(4)));
        return [...this.#renew(), { kind: "if", condition, body: inner() }, ...this.#renew()];
      }
      default:
        return this.#hasSubgroups ? this.#subgroup() : [];
    }
  }

  #subgroup(): Statement[] {
    const random = this.#random;
    const [name, type, op] = [this.#maker.fresh(), random.pick([...TYPES]), random.pick(SUBGROUP_OPS)];
    const value = this.#maker.expr(type, 3);
    const use = variable(type, name);
    this.#maker.add(use);
    const mask = op === "shuffleXor" ? { mask: random.pick([1, 2, 3]) } : {};
    const from = op === "broadcast" ? { lane: random.below(4) } : {};
    return [{ kind: "subgroup", op, name, value, ...mask, ...from }, this.#count(use)];
  }

  /** Something loaded from a shared or private array, or from what another lane of the workgroup has stored. */
  #leaf(type: ScalarType): Expr | undefined {
    const random = this.#random;
    if (type === "bool") return less(this.#lane, i32(random.below(this.#lanes)));
    const at = TYPES.indexOf(type);
    const kind = random.below(3);
    if (kind === 0) return this.#private[at]?.load(random.pick([i32(random.below(3)), this.#lane]));
    if (kind === 1) return load(3 + at, this.#bindingPlace(at), type);
    const fitting = [...this.#shared.keys()].filter((i) => this.#shared[i]?.type === type);
    if (fitting.length === 0) return undefined;
    const array = random.pick(fitting);
    return build.loadShared(array, this.#sharedPlace(array), type);
  }

  /** A store into a shared or private array, or to an own place of another lane's binding. */
  #store(): Statement[] | undefined {
    const random = this.#random;
    const kind = random.below(3);
    if (kind === 0 && this.#shared.length > 0) {
      const array = random.below(this.#shared.length);
      const { type = "f32" } = this.#shared[array] ?? {};
      if (this.#sharedUses[array]?.kind !== "own") return undefined;
      return [storeShared(array, this.#sharedPlace(array), this.#maker.expr(type, 3))];
    }
    const at = random.below(3);
    const type = TYPES[at] ?? "f32";
    if (kind === 1) {
      const place = random.pick([i32(random.below(3)), remainder(this.#lane, i32(4))]);
      return [this.#private[at]?.store(place, this.#maker.expr(type, 3))].filter((found) => found !== undefined);
    }
    if (this.#bindingUses[at]?.kind !== "own") return undefined;
    return [store(3 + at, this.#bindingPlace(at), this.#maker.expr(type, 3))];
  }

  #sharedPlace(array: number): Expr {
    const { places = 1 } = this.#shared[array] ?? {};
    const use = this.#sharedUses[array];
    if (use?.kind === "own") return this.#own(use.rotation, this.#random.below(places), false);
    return this.#maker.expr("i32", 1);
  }

  #bindingPlace(at: number): Expr {
    const use = this.#bindingUses[at];
    if (use?.kind === "own") return this.#own(use.rotation, 0, true);
    const other = build.cast("i32", remainder(this.#maker.expr("u32", 1), constant("u32", this.#lanes)));
    return add(multiply(this.#workgroup, i32(this.#lanes)), other);
  }

  /** A place that no other lane has now: of the workgroup, or of the whole grid. */
  #own(rotation: number, row: number, isOfGrid: boolean): Expr {
    const turned = remainder(add(this.#lane, i32(rotation)), i32(this.#lanes));
    const above = isOfGrid ? multiply(this.#workgroup, i32(this.#lanes)) : i32(row * this.#lanes);
    return add(above, turned);
  }

  /** True where each invocation has binding 3 + `at` at its own number. */
  #isPlain(at: number): boolean {
    const use = this.#bindingUses[at];
    return use?.kind === "own" && use.rotation === 0;
  }
}
