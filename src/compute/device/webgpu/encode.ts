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
      /** What it goes through piece by piece, within one buffer: WebGPU refuses such copies. */
      readonly between?: GPUBuffer;
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
  const { source, sourceOffset, target, targetOffset, bytes, between } = step;
  if (bytes === 0) return;
  if (between === undefined) return encoder.copyBufferToBuffer(source, sourceOffset, target, targetOffset, bytes);
  for (let at = 0; at < bytes; at += between.size) {
    const piece = Math.min(between.size, bytes - at);
    encoder.copyBufferToBuffer(source, sourceOffset + at, between, 0, piece);
    encoder.copyBufferToBuffer(between, 0, target, targetOffset + at, piece);
  }
}
