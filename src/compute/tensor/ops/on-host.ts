/** For the few operations whose shapes depend on values: they read their input back, and put the result where it was. */
import { OptionError } from "../../../base/errors.ts";
import type { HostArray } from "../../runtime/runtime.ts";
import { currentRuntime, withRuntime } from "../runtime-scope.ts";
import type { Tensor } from "../tensor.ts";
import { currentTrace } from "../trace.ts";

/** What `make` makes of the values of `x`, on its runtime. @throws OptionError inside compiled functions */
export async function readOnHost<Result>(
  operation: string,
  x: Tensor,
  make: (values: HostArray) => Result,
): Promise<Result> {
  if (currentTrace() !== null) {
    throw new OptionError(
      `${operation}: expected to be outside of compiled functions, since the shape depends on values; found it inside`,
    );
  }
  const runtime = x.value.runtime ?? currentRuntime(operation);
  const values = await withRuntime(runtime, () => x.data());
  return withRuntime(runtime, () => make(values));
}
