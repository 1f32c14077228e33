/** Steps of a recording put into a command encoder: dispatches that follow one another share a compute pass. */

/** A command made ready: everything is bound, nothing is looked up when it runs. */
export type Step =
  | {
      readonly kind: "dispatch";
      readonly pipeline: GPUComputePipeline;
      readonly bindGroup: GPUBindGroup;
      readonly workgroups: readonly [number, number];
    }
  | {
      readonly kind: "copy";
      readonly source: GPUBuffer;
      readonly sourceOffset: number;
      readonly target: GPUBuffer;
      readonly targetOffset: number;
      readonly bytes: number;
    };

export function encode(encoder: GPUCommandEncoder, steps: readonly Step[]): void {
  let pass: GPUComputePassEncoder | undefined;
  let pipeline: GPUComputePipeline | undefined;
  for (const step of steps) {
    if (step.kind === "copy") {
      pass?.end();
      pass = pipeline = undefined;
      encodeCopy(encoder, step);
      continue;
    }
    pass ??= encoder.beginComputePass();
    if (pipeline !== step.pipeline) pass.setPipeline(step.pipeline);
    pipeline = step.pipeline;
    pass.setBindGroup(0, step.bindGroup);
    pass.dispatchWorkgroups(...step.workgroups);
  }
  pass?.end();
}

export function encodeCopy(encoder: GPUCommandEncoder, step: Step & { kind: "copy" }): void {
  encoder.copyBufferToBuffer(step.source, step.sourceOffset, step.target, step.targetOffset, step.bytes);
}
