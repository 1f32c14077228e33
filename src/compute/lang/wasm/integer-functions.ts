/** Integer division and powers, with what the language gives where WebAssembly traps. Each leaves its result on the stack. */
import type { Code, Local } from "./code.ts";

/** a / b toward zero; a for b = 0 and for the one overflow. */
export function divideSigned(code: Code, a: Local, b: Local): void {
  const isPlain = (): void => {
    // Neither 0 nor -1.
    code.get(b);
    code.i32(1);
    code.op("i32.add");
    code.i32(1);
    code.op("i32.le_u");
    code.op("i32.eqz");
  };
  isPlain();
  code.ifElse(
    "i32",
    () => binary(code, a, b, "i32.div_s"),
    () => {
      // b is 0 or -1: a, or -a.
      code.get(a);
      code.i32(0);
      code.get(a);
      code.op("i32.sub");
      code.get(b);
      code.op("i32.eqz", "select");
    },
  );
}

/** a / b; a for b = 0. */
export function divideUnsigned(code: Code, a: Local, b: Local): void {
  code.get(b);
  code.ifElse(
    "i32",
    () => binary(code, a, b, "i32.div_u"),
    () => code.get(a),
  );
}

/** a^b modulo 2^32, by squaring. */
export function powerUnsigned(code: Code, a: Local, b: Local): void {
  const out = code.local("i32");
  code.i32(1);
  code.set(out);
  code.while(
    () => code.get(b),
    () => {
      code.get(b);
      code.i32(1);
      code.op("i32.and");
      code.if(() => {
        binary(code, out, a, "i32.mul");
        code.set(out);
      });
      binary(code, a, a, "i32.mul");
      code.set(a);
      code.get(b);
      code.i32(1);
      code.op("i32.shr_u");
      code.set(b);
    },
  );
  code.get(out);
}

/** a^b modulo 2^32; for a negative b 1 / a^|b| toward zero. */
export function powerSigned(code: Code, a: Local, b: Local, callUnsigned: () => void): void {
  const oddSign = (): void => {
    // -1 for an odd b, 1 for an even one.
    code.i32(1);
    code.get(b);
    code.i32(1);
    code.op("i32.and");
    code.i32(1);
    code.op("i32.shl", "i32.sub");
  };
  code.get(b);
  code.i32(0);
  code.op("i32.ge_s");
  code.ifElse(
    "i32",
    () => {
      code.get(a);
      code.get(b);
      callUnsigned();
    },
    () => {
      oddSign();
      code.get(a);
      code.i32(1);
      code.op("i32.eq");
      code.get(a);
      code.i32(-1);
      code.op("i32.eq", "select");
    },
  );
}

function binary(code: Code, a: Local, b: Local, op: "i32.div_s" | "i32.div_u" | "i32.mul"): void {
  code.get(a);
  code.get(b);
  code.op(op);
}
