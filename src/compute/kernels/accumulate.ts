/** How values are combined into one: what reduce and scan share. */
import { add, maximum, minimum, multiply } from "../lang/build.ts";
import { constant } from "../lang/expr.ts";
import type { Expr, ScalarType } from "../lang/kernel.ts";

export type Accumulation = "sum" | "product" | "maximum" | "minimum";

/** fn(a, b) */
export function combine(fn: Accumulation, a: Expr, b: Expr): Expr {
  switch (fn) {
    case "sum":
      return add(a, b);
    case "product":
      return multiply(a, b);
    case "maximum":
      return maximum(a, b);
    case "minimum":
      return minimum(a, b);
  }
}

/** The value that changes none it is combined with. */
export function identityOf(fn: Accumulation, type: ScalarType): Expr {
  switch (fn) {
    case "sum":
      return constant(type, 0);
    case "product":
      return constant(type, 1);
    case "maximum":
      return constant(type, type === "f32" ? -Infinity : type === "i32" ? -(2 ** 31) : 0);
    case "minimum":
      return constant(type, type === "f32" ? Infinity : type === "i32" ? 2 ** 31 - 1 : 2 ** 32 - 1);
  }
}
