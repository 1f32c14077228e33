/** A GPU that tells another name than its own. */

interface Name {
  readonly vendor: string;
  readonly architecture: string;
}

/** `gpu`, whose adapters are real and say that they are hardware of this name. */
export function disguised(gpu: GPU, name: Name): GPU {
  const requestAdapter = async (options?: GPURequestAdapterOptions): Promise<GPUAdapter | null> => {
    const adapter = await gpu.requestAdapter(options);
    if (adapter === null) return null;
    const { subgroupMinSize, subgroupMaxSize } = adapter.info;
    const info = { ...name, device: "", description: "", isFallbackAdapter: false, subgroupMinSize, subgroupMaxSize };
    // The adapter's own functions want the adapter itself.
    return new Proxy(adapter, {
      get(target, key) {
        if (key === "info") return info;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  };
  return { requestAdapter } as GPU;
}
