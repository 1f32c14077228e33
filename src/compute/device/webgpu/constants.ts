/** Flags of the WebGPU specification. Browsers have them as globals, Dawn in Node has not. */
export const BufferUsage = { mapRead: 0x01, copySrc: 0x04, copyDst: 0x08, storage: 0x80, queryResolve: 0x200 } as const;
export const MAP_MODE_READ = 0x01;
export const SHADER_STAGE_COMPUTE = 0x04;
