/** What every TuningStore must do, in Node and in browsers. */
import { expect, test } from "vitest";
import type { TuningStore } from "../../src/compute/runtime/tuning-store.ts";
import { tableOf } from "../compute/runtime/tuning-table.ts";

export interface TuningStoreSuite {
  /** A store of an empty place. */
  open(): Promise<TuningStore>;
  /** Another store of the place of the last one. */
  reopen(): Promise<TuningStore>;
  /** Overwrites what the place holds for every adapter that was saved. */
  corrupt(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

export function tuningStoreSuite(name: string, suite: TuningStoreSuite): void {
  test(`${name}: an adapter that nothing is known of has an empty table`, async () => {
    const store = await suite.open();
    expect((await store.load("a")).size).toBe(0);
  });

  test(`${name}: what was saved is there for the next one to come, and the last one counts`, async () => {
    const store = await suite.open();
    await store.save("a", new Map([...tableOf()].slice(0, 1)));
    await store.save("a", tableOf());
    expect([...(await store.load("a"))]).toEqual([...tableOf()]);
    expect([...(await (await suite.reopen()).load("a"))]).toEqual([...tableOf()]);
  });

  test(`${name}: adapters do not see each other's tables`, async () => {
    const store = await suite.open();
    await store.save("a", tableOf());
    await store.save("b", new Map());
    expect((await store.load("b")).size).toBe(0);
    expect((await store.load("a")).size).toBe(2);
  });

  test(`${name}: many at once leave one whole table`, async () => {
    const [first, second] = [await suite.open(), await suite.reopen()];
    await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? first : second).save("a", tableOf())));
    expect((await first.load("a")).size).toBe(2);
  });

  test(`${name}: a torn or foreign value counts as an empty table, and can be replaced`, async () => {
    const store = await suite.open();
    await store.save("a", tableOf());
    for (const text of ["", "{", '{"version": 0}', "\u0000\uffff"]) {
      await suite.corrupt(new TextEncoder().encode(text));
      expect((await store.load("a")).size).toBe(0);
    }
    await store.save("a", tableOf());
    expect((await store.load("a")).size).toBe(2);
  });
}
