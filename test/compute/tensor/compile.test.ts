/** Compiled functions: traced once for each set of shapes, replayed with the state of the outside. */
import { expect, test } from "vitest";
import { OptionError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../../src/compute/tensor/compile.ts";
import { tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { Generator } from "../../../src/compute/tensor/generator.ts";
import { dropout } from "../../../src/compute/tensor/ops/dropout.ts";
import { withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { InterpreterRuntime } from "./interpreter-runtime.ts";
import { deviceRuntime } from "./test-runtimes.ts";

const floats = (...data: number[]): { shape: number[]; data: Float32Array<ArrayBuffer> } => ({
  shape: [data.length],
  data: Float32Array.from(data),
});

async function values(x: Tensor): Promise<number[]> {
  return [...(await x.data())];
}

for (const [name, create] of [
  ["the interpreter", () => new InterpreterRuntime()],
  ["the reference device", deviceRuntime],
] as const) {
  test(`a function is traced once a shape and replayed on ${name}`, async () => {
    const runtime = create();
    let traces = 0;
    const double = compile(
      ({ x }: Inputs<"x">) => {
        traces += 1;
        return x.mul(2);
      },
      { runtime },
    );
    expect(await values(await double({ x: floats(1, 2) }))).toEqual([2, 4]);
    expect(await values(await double({ x: floats(3, 4) }))).toEqual([6, 8]);
    expect(await values(await double({ x: floats(5) }))).toEqual([10]);
    expect(traces).toBe(2);
    expect(double.explain()).toHaveLength(2);
  });

  test(`what is assigned inside carries over on ${name}`, async () => {
    const runtime = create();
    const state = withRuntime(runtime, () => zeros([2]));
    const step = compile(
      ({ x }: Inputs<"x">) => {
        const before = state.detach();
        state.assign(state.add(x));
        return { before, after: state };
      },
      { runtime },
    );
    await step({ x: floats(1, 2) });
    const { before, after } = await step({ x: floats(10, 20) });
    expect([await values(before), await values(after), await values(state)]).toEqual([[1, 2], [11, 22], [11, 22]]); // prettier-ignore
  });

  test(`a lazy parameter, read as it is and detached, is one state on ${name}`, async () => {
    const runtime = create();
    const weight = withRuntime(runtime, () => tensor([1]).add(1));
    weight.requiresGrad = true;
    const step = compile(
      () => {
        const loss = weight.square().sum();
        loss.backward();
        weight.assign(weight.detach().sub(weight.grad?.mul(0.25) ?? 0));
        return loss;
      },
      { runtime },
    );
    const losses = [await values(await step()), await values(await step()), await values(await step())];
    expect(losses).toEqual([[4], [1], [0.25]]);
  });

  test(`parameters may be frozen and thawed inside on ${name}`, async () => {
    const runtime = create();
    for (const lazy of [false, true]) {
      const [a, b] = withRuntime(runtime, () => (lazy ? [tensor([0]).add(1), tensor([1]).add(1)] : [tensor([1]), tensor([2])]) as [Tensor, Tensor]); // prettier-ignore
      a.requiresGrad = b.requiresGrad = true;
      const step = compile(
        () => {
          a.requiresGrad = false;
          const product = a.mul(b).sum();
          product.backward();
          const untouched = a.grad === null;
          a.requiresGrad = true;
          a.mul(b.detach()).sum().backward();
          for (const x of [a, b]) x.assign(x.add(x.grad ?? 0));
          return untouched ? product : product.mul(0);
        },
        { runtime },
      );
      const found = [await values(await step()), await values(await step()), await values(await step())];
      expect(found).toEqual([[2], [9], [36]]);
      expect([a.requiresGrad, await values(a), await values(b)]).toEqual([true, [12], [12]]);
    }
  });

  test(`two states that are swapped see each other's old values on ${name}`, async () => {
    const runtime = create();
    const [a, b] = withRuntime(runtime, () => [tensor([1]), tensor([2])] as const);
    const swap = compile(
      () => {
        const old = a.detach();
        a.assign(b);
        b.assign(old);
        return [];
      },
      { runtime },
    );
    await swap();
    await swap();
    await swap();
    expect([await a.item(), await b.item()]).toEqual([2, 1]);
  });

  test(`what is written or assigned outside is seen by the next run on ${name}`, async () => {
    const runtime = create();
    const weight = withRuntime(runtime, () => tensor([2], { requiresGrad: true }));
    const train = compile(
      ({ x }: Inputs<"x">) => {
        const loss = weight.mul(x).sum();
        loss.backward();
        weight.assign(weight.sub(weight.grad ?? 0));
        return loss;
      },
      { runtime },
    );
    const apply = compile(({ x }: Inputs<"x">) => weight.mul(x), { runtime });
    expect(await (await train({ x: floats(0.5) })).item()).toBe(1);
    expect(await weight.item()).toBe(1.5);
    expect(weight.grad).toBeNull();
    weight.write(Float32Array.of(8));
    expect(await (await apply({ x: floats(2) })).item()).toBe(16);
    weight.assign(weight.add(1));
    expect(await (await train({ x: floats(1) })).item()).toBe(9);
    expect(await (await apply({ x: floats(2) })).item()).toBe(16);
    weight.assign(weight.mul(2));
    await weight.realize();
    expect(await (await apply({ x: floats(1) })).item()).toBe(16);
    expect(await (await train({ x: floats(3) })).item()).toBe(48);
    expect(await weight.item()).toBe(13);
  });

  test(`a grad that was there before accumulates over calls, one that was not lives inside a call on ${name}`, async () => {
    const runtime = create();
    const w = withRuntime(runtime, () => tensor([1], { requiresGrad: true }));
    const loss = compile(
      ({ x }: Inputs<"x">) => {
        const value = w.mul(x).sum();
        value.backward();
        return value;
      },
      { runtime },
    );
    await loss({ x: floats(3) });
    expect(w.grad).toBeNull();
    const sums = withRuntime(runtime, () => zeros([1]));
    w.grad = sums;
    const accumulate = compile(
      ({ x }: Inputs<"x">) => {
        const value = w.mul(x).sum();
        value.backward();
        return value;
      },
      { runtime },
    );
    await accumulate({ x: floats(3) });
    await accumulate({ x: floats(4) });
    expect(w.grad).toBe(sums);
    expect(await sums.item()).toBe(7);
    const clear = compile(
      () => {
        w.grad = null;
        return [];
      },
      { runtime },
    );
    await clear();
    expect(await sums.item()).toBe(0);
  });

  test(`inputs may be tensors, lazy ones and results of other functions on ${name}`, async () => {
    const runtime = create();
    const [one, increment] = [compile(({ x }: Inputs<"x">) => x.add(1), { runtime }), compile(({ x }: Inputs<"x">) => x.mul(10), { runtime })]; // prettier-ignore
    for (let i = 0; i < 3; i++) {
      const middle = await one({ x: floats(i) });
      expect(await (await increment({ x: middle })).item()).toBe(10 * (i + 1));
    }
    const lazy = withRuntime(runtime, () => tensor([3]).mul(2));
    expect(await (await one({ x: lazy })).item()).toBe(7);
  });

  test(`random masks differ from call to call and repeat after a reset on ${name}`, async () => {
    const runtime = create();
    const generator = withRuntime(runtime, () => new Generator(new Random(4)));
    const mask = compile(({ x }: Inputs<"x">) => dropout(x, { p: 0.5, generator }), { runtime });
    const x = floats(...Array.from({ length: 64 }, () => 1));
    const draw = async (): Promise<number[]> => values(await mask({ x }));
    generator.reset(9);
    const first = [await draw(), await draw()];
    expect(first[0]).not.toEqual(first[1]);
    generator.reset(9);
    expect([await draw(), await draw()]).toEqual(first);
  });
}

test("calls that are not awaited run in their order", async () => {
  const runtime = new InterpreterRuntime();
  const state = withRuntime(runtime, () => tensor([1]));
  const step = compile(
    ({ x }: Inputs<"x">) => {
      state.assign(state.mul(10).add(x));
      return [];
    },
    { runtime },
  );
  await Promise.all([step({ x: floats(1) }), step({ x: floats(2) }), step({ x: floats(3) })]);
  expect(await state.item()).toBe(1123);
});

test("a function that fails leaves everything as it was, and the next call works", async () => {
  const runtime = new InterpreterRuntime();
  const state = withRuntime(runtime, () => tensor([1], { requiresGrad: true }));
  let fails = true;
  const step = compile(
    () => {
      state.mul(3).sum().backward();
      state.assign(state.add(1));
      if (fails) throw new OptionError("test: fails");
      return state;
    },
    { runtime },
  );
  await expect(step()).rejects.toThrow("test: fails");
  expect([await state.item(), state.grad]).toEqual([1, null]);
  fails = false;
  expect(await (await step()).item()).toBe(2);
});

test("a tensor made inside cannot be used outside, and nothing is read inside", async () => {
  const runtime = new InterpreterRuntime();
  let leaked: Tensor | null = null;
  const leak = compile(
    ({ x }: Inputs<"x">) => {
      leaked = x.add(1);
      return x;
    },
    { runtime },
  );
  await leak({ x: floats(1) });
  expect(() => leaked?.add(1)).toThrow(/made inside a compiled function/);
  const reads = compile(
    ({ x }: Inputs<"x">) => {
      void x.item().catch(() => {});
      x.write(Float32Array.of(1));
      return x;
    },
    { runtime },
  );
  await expect(reads({ x: floats(1) })).rejects.toThrow(OptionError);
  const promises = compile((async () => tensor([1])) as never, { runtime });
  await expect(promises()).rejects.toThrow(/expected a function that returns tensors/);
});

test("replays compile nothing and destroy frees the plans", async () => {
  const runtime = new InterpreterRuntime();
  const state = withRuntime(runtime, () => tensor([1]));
  const step = compile(
    ({ x }: Inputs<"x">) => {
      state.assign(state.add(x));
      return state.mul(2);
    },
    { runtime },
  );
  await step({ x: floats(1) });
  const { compiled } = runtime;
  for (let i = 0; i < 4; i++) await step({ x: floats(1) });
  expect(runtime.compiled).toBe(compiled);
  step.destroy();
  expect(step.explain()).toEqual([]);
});

test("a gradient that was set or taken away since is seen by the next call", async () => {
  const runtime = deviceRuntime();
  const w = withRuntime(runtime, () => tensor([1, 2], { requiresGrad: true }));
  const step = compile(
    ({ x }: Inputs<"x">) => {
      const loss = w.mul(x).sum();
      loss.backward();
      return loss;
    },
    { runtime },
  );
  const x = { shape: [2], data: Float32Array.of(3, 3) };
  await (await step({ x })).item();
  expect(w.grad).toBe(null);
  const kept = withRuntime(runtime, () => tensor([1, 1]));
  w.grad = kept;
  await (await step({ x })).item();
  await (await step({ x })).item();
  expect([...(await kept.data())]).toEqual([7, 7]);
  w.grad = null;
  await (await step({ x })).item();
  expect([w.grad, [...(await kept.data())]]).toEqual([null, [7, 7]]);
});

test("host values may say what they are", async () => {
  const step = compile(
    ({ x, y }: Inputs<"x" | "y">) => {
      expect([x.dtype, y.dtype]).toEqual(["bool", "float16"]);
      return x.where(y, 0);
    },
    { runtime: deviceRuntime() },
  );
  const x = { shape: [2], data: Uint32Array.of(1, 0), dtype: "bool" } as const;
  const y = { shape: [2], data: Float32Array.of(0.1, 2), dtype: "float16" } as const;
  expect([...(await (await step({ x, y })).data())]).toEqual([0.0999755859375, 0]);
});
