/** What kernels are chosen by: facts of a device that do not change. A `DeviceInfo` has them all. */
export interface DeviceTraits {
  /** True for a GPU emulated on the processor: slow at loads and barriers, and at compiling. */
  readonly isSoftware: boolean;
  readonly hasSubgroups: boolean;
  /** Lanes in every subgroup; null where they vary. */
  readonly subgroupSize: number | null;
  /** True for a processor whose vectors are the lanes: a workgroup of four is one, and waits for nobody. */
  readonly hasVectorLanes?: boolean;
  /** Vectors of sums that a kernel can keep in registers there, beside what it multiplies. */
  readonly vectorSums?: number;
  /** Threads that share a dispatch there; results do not depend on it. */
  readonly threads?: number;
  readonly limits: {
    /** Bytes of the arrays that a workgroup shares. */
    readonly workgroupBytesMax: number;
    /** Invocations in a workgroup. */
    readonly workgroupLanesMax: number;
  };
}

/** Nothing but what every device has. */
export const PLAIN_DEVICE: DeviceTraits = {
  isSoftware: true,
  hasSubgroups: false,
  subgroupSize: null,
  limits: { workgroupBytesMax: 2 ** 14, workgroupLanesMax: 256 },
};
