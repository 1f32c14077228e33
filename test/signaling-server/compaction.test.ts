import { expect, test } from "vitest";
import { Compaction } from "../../signaling-server/log/compaction.ts";
import { initialState, replay } from "../../src/training/coordinator/state.ts";
import { randomHistory } from "./samples.ts";

test("what a log is shortened to folds to the same state, at every length of 12 random histories", () => {
  for (let seed = 0; seed < 12; seed++) {
    const records = randomHistory(seed, 60);
    const compaction = new Compaction();
    let state = initialState();
    records.forEach((record, index) => {
      compaction.note(record);
      state = replay(state, record);
      const short = compaction.records();
      expect(short.length).toBeLessThanOrEqual(9 + 5);
      expect(short.reduce(replay, initialState()).durable, `seed ${seed}, ${index + 1} records`).toEqual(state.durable);
    });
  }
});

test("a shortened log can be shortened again", () => {
  for (let seed = 0; seed < 12; seed++) {
    const records = randomHistory(seed, 80);
    let kept = records.slice(0, 1);
    for (const [index, record] of records.slice(1).entries()) {
      const compaction = new Compaction();
      for (const old of [...kept, record]) compaction.note(old);
      kept = compaction.records();
      const expected = records.slice(0, index + 2).reduce(replay, initialState()).durable;
      expect(kept.reduce(replay, initialState()).durable, `seed ${seed}, ${index + 2} records`).toEqual(expected);
    }
  }
});
