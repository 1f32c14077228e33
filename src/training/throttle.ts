/** Giving a part of a device's time only: after each slot the engine rests for as long as its share leaves over. */
import type { Clock } from "../base/clock.ts";
import { sleep } from "../base/wait.ts";
import type { MemberEngine } from "./member.ts";

/**
 * `engine`, computing for at most `share()` of the time that slots take: t ms of work, then t (1 / share - 1) ms of rest.
 * Its measured speed falls with that, so that it is given fewer slots. `share` is asked at every slot, and may change.
 */
export function throttled(engine: MemberEngine, share: () => number, clock: Clock): MemberEngine {
  const rested = async <T>(work: () => Promise<T>): Promise<T> => {
    const startMs = clock.nowMs();
    const result = await work();
    const restMs = (clock.nowMs() - startMs) * (1 / share() - 1);
    if (restMs > 0) await sleep(restMs, clock);
    return result;
  };
  const { packing = null } = engine;
  return {
    parameterCount: engine.parameterCount,
    stateFloats: engine.stateFloats,
    slots: engine.slots,
    get name() {
      return engine.name; // Another one after the device was lost.
    },
    get slotsPerSecond() {
      return engine.slotsPerSecond * share();
    },
    packing: packing && {
      slot: (parameters, slot, course) => rested(() => packing.slot(parameters, slot, course)),
      pack: (sum, course) => packing.pack(sum, course),
      add: (arrived) => packing.add(arrived),
      own: (owners) => packing.own(owners),
    },
    ...(engine.layout ? { layout: engine.layout } : {}),
    initialParameters: () => engine.initialParameters(),
    update: (input) => engine.update(input),
    readBack: (parameters) => engine.readBack(parameters),
    slot: (parameters, step, slot, onBucket) => rested(() => engine.slot(parameters, step, slot, onBucket)),
  };
}
