/** Many seeds of the communication library alone, and what they come to. */
import { runNetwork } from "./network-run.ts";

export interface NetworkCampaign {
  /** Members of a seed: 1 to this. */
  readonly nodes: number;
  readonly seeds: number;
  readonly from: number;
  readonly plant: string | undefined;
  readonly say: (text: string) => void;
}

export interface NetworkReport {
  readonly seeds: number;
  readonly violations: readonly { readonly seed: number; readonly invariant: string }[];
  readonly faults: Readonly<Record<string, number>>;
  readonly simulatedHours: number;
  /** Members that came to an end, and those that others counted on and that had left: see `NetworkResult`. */
  readonly finished: number;
  readonly missing: number;
}

export async function runNetworkCampaign({ nodes, seeds, from, plant, say }: NetworkCampaign): Promise<NetworkReport> {
  const violations: { seed: number; invariant: string }[] = [];
  const faults: Record<string, number> = {};
  let [simulatedMs, finished, missing] = [0, 0, 0];
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runNetwork({ seed, nodesMax: nodes, plant });
    simulatedMs += result.simulatedMs;
    finished += result.finished;
    missing += result.missing;
    for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count;
    for (const invariant of result.violations) {
      violations.push({ seed, invariant });
      say(`seed ${seed}: ${invariant} (npm run simulate -- --network --nodes ${nodes} --seeds 1 --from ${seed})`);
    }
  }
  return { seeds, violations, faults, simulatedHours: simulatedMs / 3_600_000, finished, missing };
}
