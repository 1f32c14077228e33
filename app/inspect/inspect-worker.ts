/** The worker of the inspecting page: a device of its own, one compiled step, and the drawing's layout. */
import { explain } from "hearth";
import type { Explanation, GraphReport, PlanReport } from "hearth";
import { openRuntime } from "hearth/browser";
import type { DeviceChoice } from "hearth/browser";
import { expose } from "comlink";
import type { DrawnGraph, InspectApi, Inspection } from "./inspect-api.ts";
import { buildStep } from "./inspect-steps.ts";
import type { InspectStep } from "./inspect-steps.ts";
import { layoutGraph } from "./layout-graph.ts";

/** What has been opened, for the calls that follow. */
interface Opened {
  readonly step: InspectStep["step"];
  readonly facts: { readonly model: string; readonly device: string; readonly compileMs: number };
}

let opened: Opened | null = null;

async function open(model: string, choice: DeviceChoice, doing: (what: string) => void): Promise<Inspection> {
  doing("Opening the device");
  const { runtime, reason } = await openRuntime(choice);
  doing("Building the model");
  const { step, batch } = await buildStep(model);
  doing("Compiling its step");
  const startMs = performance.now();
  await step(batch);
  const compileMs = performance.now() - startMs;
  const device = runtime.device.info.name;
  opened = { step, facts: { model, device, compileMs } };
  doing("Drawing the graphs");
  const { graph, kernels, scratchBytes } = planOf(await explain(step, { runs: 0 }));
  return { device, reason, compileMs, before: drawn(graph.before), after: drawn(graph.after), kernels, scratchBytes };
}

function drawn(report: GraphReport): DrawnGraph {
  return { report, layout: layoutGraph(report) };
}

/** A step that was called with one batch has one plan. */
function planOf({ plans }: Explanation): PlanReport {
  const [plan] = plans;
  if (plan === undefined) throw new Error("The step has no plan.");
  return plan;
}

function current(): Opened {
  if (opened === null) throw new Error("No step is open.");
  return opened;
}

const api: InspectApi = {
  open,
  async profile(runs) {
    return planOf(await explain(current().step, { runs })).kernels.map(({ ms }) => ms);
  },
  async text(sources) {
    return (await explain(current().step, { runs: 0 })).text({ sources });
  },
  async json() {
    const { step, facts } = current();
    return JSON.stringify({ ...facts, plans: (await explain(step, { runs: 0 })).plans }, null, 1);
  },
};

expose(api);
