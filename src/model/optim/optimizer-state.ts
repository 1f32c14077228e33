/** Saving optimizers, in PyTorch's layout: options by group, state by the place of the parameter. */
import { present } from "../../base/assert.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import { formatShape, sameShape } from "../../compute/layout/shape.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { setValues } from "../nn/set-values.ts";

/** Host values alone: what `optimizer.stateDict()` gives. */
export interface OptimizerStateDict {
  /** By the parameter's place in all groups, one after another: "step" (of shape []) and the optimizer's own names. */
  readonly state: Readonly<Record<number, Readonly<Record<string, HostValues>>>>;
  /** The options of each group, and the places of its parameters. */
  readonly paramGroups: readonly (Readonly<Record<string, unknown>> & { readonly params: readonly number[] })[];
}

/** A group, as saving and loading see it. */
export interface SavedGroup {
  readonly params: readonly Tensor[];
  /** [params] */
  readonly steps: Tensor;
  setSteps(counts: Float32Array<ArrayBuffer>): void;
  states(): readonly Readonly<Record<string, Tensor | null>>[];
  readonly options: Readonly<Record<string, unknown>>;
  set(options: Readonly<Record<string, unknown>>): void;
}

/** Everything, in one readback. */
export async function optimizerStateDict(groups: readonly SavedGroup[]): Promise<OptimizerStateDict> {
  const tensors = [
    ...new Set(groups.flatMap((group) => [group.steps, ...statesOf(group).map(({ tensor }) => tensor)])),
  ];
  // Options as they are now, not as they are when the device has answered.
  const options = groups.map((group) => structuredClone(group.options));
  const values = await Tensor.readAll(tensors);
  const valuesOf = (tensor: Tensor): HostValues => ({
    shape: tensor.shape,
    data: present(values[tensors.indexOf(tensor)], "optimizer.stateDict: values"),
  });
  const state: Record<number, Record<string, HostValues>> = {};
  const places = placesOf(groups);
  groups.forEach((group, g) => {
    const steps = valuesOf(group.steps).data;
    places[g]?.forEach((place, i) => {
      state[place] = { step: { shape: [], data: Float32Array.of(steps[i] ?? 0) } };
    });
    for (const { index, name, tensor } of statesOf(group)) {
      present(state[places[g]?.[index] ?? -1], "optimizer.stateDict: a place")[name] = valuesOf(tensor);
    }
  });
  return { state, paramGroups: groups.map((_, g) => ({ ...options[g], params: places[g] ?? [] })) };
}

/** Overwrites state and options, after a look at all of it. @throws OptionError, ShapeError */
export function loadOptimizerState(name: string, groups: readonly SavedGroup[], dict: OptimizerStateDict): void {
  const places = placesOf(groups);
  const sizes = dict.paramGroups.map(({ params }) => params.length);
  if (sizes.join() !== groups.map(({ params }) => params.length).join()) {
    throw new OptionError(
      `${name}.loadStateDict: expected groups of ${groups.map(({ params }) => params.length).join(", ")} parameters, found ${sizes.join(", ") || "none"}`,
    );
  }
  // The saved options decide which state there is.
  const before = groups.map(({ options }) => options);
  const apply = (of: (g: number) => Readonly<Record<string, unknown>>): void => groups.forEach((group, g) => group.set(of(g))); // prettier-ignore
  const saved = (g: number): Record<string, unknown> => optionsOf(name, present(before[g], name), dict.paramGroups[g]);
  const wanted = groups.map((_, g) => saved(g));
  apply((g) => wanted[g] ?? {});
  try {
    checkStates(name, groups, places, dict);
  } catch (error) {
    apply((g) => before[g] ?? {});
    throw error;
  }
  groups.forEach((group, g) => {
    const own = places[g] ?? [];
    group.setSteps(Float32Array.from(own, (place) => dict.state[place]?.["step"]?.data[0] ?? 0));
    for (const { index, name: state, tensor } of statesOf(group)) {
      setValues(name, tensor, present(dict.state[own[index] ?? -1]?.[state], "optimizer: state").data);
    }
  });
}

function optionsOf(
  name: string,
  known: Readonly<Record<string, unknown>>,
  group: OptimizerStateDict["paramGroups"][number] | undefined,
): Record<string, unknown> {
  const { params, ...options } = present(group, `${name}: a group`);
  const unknown = Object.keys(options).filter((key) => key !== "initialLr" && !(key in known));
  if (unknown.length === 0) return options;
  throw new OptionError(
    `${name}.loadStateDict: expected the options ${Object.keys(known).join(", ")} for ${params.length} parameters, found ${unknown.join(", ")} too; was it another optimizer's?`,
  );
}

/** @throws OptionError for names, ShapeError for shapes; either lists everything */
function checkStates(
  name: string,
  groups: readonly SavedGroup[],
  places: readonly (readonly number[])[],
  dict: OptimizerStateDict,
): void {
  const names: string[] = [];
  const shapes: string[] = [];
  groups.forEach((group, g) => {
    group.params.forEach((_, i) => {
      const place = places[g]?.[i] ?? -1;
      const found = dict.state[place] ?? {};
      const own = statesOf(group).filter(({ index }) => index === i);
      for (const { name: state, tensor } of own) {
        const values = found[state];
        if (values === undefined) names.push(`no ${state} of parameter ${place}`);
        else if (!sameShape(values.shape, tensor.shape) || values.data.length !== tensor.size) {
          shapes.push(`${state} of parameter ${place}: ${formatShape(values.shape)} for ${formatShape(tensor.shape)}`);
        }
      }
      const known = new Set(["step", ...own.map((entry) => entry.name)]);
      const extra = Object.keys(found).filter((key) => !known.has(key));
      if (extra.length > 0) names.push(`${extra.join(", ")} of parameter ${place} besides`);
    });
  });
  if (names.length + shapes.length === 0) return;
  const message = `${name}.loadStateDict: expected this optimizer's state, found ${[...names, ...shapes].join("; ")}`;
  throw names.length > 0 ? new OptionError(message) : new ShapeError(message);
}

/** The places of each group's parameters among all. */
function placesOf(groups: readonly SavedGroup[]): number[][] {
  let at = 0;
  return groups.map(({ params }) => params.map(() => at++));
}

function statesOf(group: SavedGroup): { readonly index: number; readonly name: string; readonly tensor: Tensor }[] {
  return group
    .states()
    .flatMap((state, index) =>
      Object.entries(state).flatMap(([name, tensor]) => (tensor === null ? [] : [{ index, name, tensor }])),
    );
}
