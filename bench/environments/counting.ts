/** Dispatches and submits of a piece of work, counted in WebGPU's own prototypes, whichever library makes them. */

export interface Commands {
  readonly dispatches: number;
  readonly submits: number;
}

/** What `work` does on any device of this thread. The prototypes are as before afterwards. */
export async function countCommands(work: () => Promise<void>): Promise<Commands> {
  const counts = { dispatches: 0, submits: 0 };
  const pass = GPUComputePassEncoder.prototype;
  const queue = GPUQueue.prototype;
  const { dispatchWorkgroups, dispatchWorkgroupsIndirect } = pass;
  const { submit } = queue;
  pass.dispatchWorkgroups = function (...sizes) {
    counts.dispatches += 1;
    return dispatchWorkgroups.apply(this, sizes);
  };
  pass.dispatchWorkgroupsIndirect = function (...source) {
    counts.dispatches += 1;
    return dispatchWorkgroupsIndirect.apply(this, source);
  };
  queue.submit = function (buffers) {
    counts.submits += 1;
    return submit.call(this, buffers);
  };
  try {
    await work();
  } finally {
    Object.assign(pass, { dispatchWorkgroups, dispatchWorkgroupsIndirect });
    queue.submit = submit;
  }
  return counts;
}
