import { expect, test } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import { DeviceLostError } from "../../../src/base/errors.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { SliceQueue } from "../../../src/compute/device/slices.ts";
import { yieldByMessage } from "../../../src/compute/device/yielding.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { invocationOf } from "../../../src/compute/lang/expr.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { assign, forRange, Names, store, varIn } from "../../../src/compute/lang/statements.ts";

/** A clock that moves only when told to. */
class HandClock implements Clock {
  ms = 0;
  nowMs(): number {
    return this.ms;
  }
  wallMs(): number {
    return this.ms;
  }
  after(): () => void {
    return () => {};
  }
}

/** sum over k < steps of sin(k + invocation): slow on purpose. */
function slowKernel(invocations: number, steps: number): Kernel {
  const at = invocationOf(invocations);
  const names = new Names();
  const sum = varIn(names, "sum", build.f32(0));
  const loop = forRange(names, "k", build.i32(0), build.i32(steps), (k) => [
    assign(sum.use, build.add(sum.use, build.unary("sin", build.cast("f32", build.add(k, at))))),
  ]);
  return {
    name: "slow",
    bindings: [{ type: "f32", access: "write", length: invocations }],
    invocations,
    body: [sum.statement, loop, store(0, at, sum.use)],
  };
}

test("a long dispatch leaves the event loop running: other tasks get their turns", async () => {
  const device = new ReferenceDevice();
  const kernel = await device.createKernel(slowKernel(6000, 600));
  const buffer = device.createBuffer(6000 * 4);
  const recording = device.record([{ kind: "dispatch", kernel, buffers: [buffer] }]);
  for (let i = 0; i < 3; i++) device.submit(recording);
  const done = device.idle();
  let isDone = false;
  void done.then(() => {
    isDone = true;
  });
  let turns = 0;
  while (!isDone) {
    await yieldByMessage();
    turns += 1;
  }
  // Some 200 ms of work: at 3 ms a slice that is 67 turns, and more on a machine that others use too.
  expect(turns).toBeGreaterThan(5);
  device.destroy();
});

test("work runs in order, and a slice ends when its 3 ms are over", async () => {
  const clock = new HandClock();
  const log: string[] = [];
  const queue = new SliceQueue(
    clock,
    async () => {
      log.push("yield");
    },
    () => log.push("error"),
  );
  for (const name of ["a", "b", "c", "d"]) {
    queue.push(() => {
      log.push(name);
      clock.ms += 2;
      return true;
    });
  }
  expect(log).toEqual([]);
  while (!queue.isEmpty) await Promise.resolve();
  expect(log.slice(0, 5)).toEqual(["a", "b", "yield", "c", "d"]);
});

test("measuring counts the work of each command, not the turns of the event loop between", async () => {
  // Every look at the clock takes a millisecond, every turn of the event loop a second.
  const clock = new HandClock();
  let turns = 0;
  const device = new ReferenceDevice({
    clock: { wallMs: () => 0, after: () => () => {}, nowMs: () => (clock.ms += 1) },
    yieldToEventLoop: async () => {
      turns += 1;
      clock.ms += 1000;
    },
  });
  const kernel = await device.createKernel(slowKernel(512, 2));
  const dispatch = { kind: "dispatch", kernel, buffers: [device.createBuffer(512 * 4)] } as const;
  const tookMs = await device.measure(device.record([dispatch, dispatch]));
  expect(turns).toBeGreaterThan(0);
  // Three looks a call, in some ten calls.
  for (const ms of tookMs) expect(ms > 0 && ms < 1000).toBe(true);
  device.destroy();
});

test("an error in work is reported, and forgets the rest", async () => {
  const errors: unknown[] = [];
  const queue = new SliceQueue(new HandClock(), yieldByMessage, (error) => errors.push(error));
  const failure = new DeviceLostError("test: broken work");
  queue.push(() => {
    throw failure;
  });
  queue.push(() => {
    errors.push("ran");
    return true;
  });
  await yieldByMessage();
  expect(errors).toEqual([failure]);
});

test("kernels that print alike are compiled once", async () => {
  const device = new ReferenceDevice();
  const [a, b] = await Promise.all([device.createKernel(slowKernel(8, 2)), device.createKernel(slowKernel(8, 2))]);
  expect((a as unknown as { run: unknown }).run).toBe((b as unknown as { run: unknown }).run);
  device.destroy();
});
