/**
 * The WebAssembly instructions that printed kernels use, by the names of the specification's text format.
 *
 * A number below 256 is the opcode itself; what has a prefix is `prefix * 65536 + number`: 0xfd for SIMD, 0xfc for others.
 */

/** Instructions without immediates, or whose immediates `Code` writes. */
export const OPCODES = {
  return: 0x0f, select: 0x1b,
  "local.get": 0x20, "local.set": 0x21, "local.tee": 0x22,
  "i32.load": 0x28, "f32.load": 0x2a, "i32.load16_u": 0x2f,
  "i32.store": 0x36, "f32.store": 0x38, "i32.store16": 0x3b,
  "i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.gt_s": 0x4a,
  "i32.le_s": 0x4c, "i32.le_u": 0x4d, "i32.ge_s": 0x4e,
  "f32.eq": 0x5b, "f32.ne": 0x5c, "f32.lt": 0x5d, "f32.le": 0x5f, "f32.ge": 0x60,
  "i32.add": 0x6a, "i32.sub": 0x6b, "i32.mul": 0x6c, "i32.div_s": 0x6d, "i32.div_u": 0x6e, "i32.rem_s": 0x6f, "i32.rem_u": 0x70,
  "i32.and": 0x71, "i32.or": 0x72, "i32.xor": 0x73, "i32.shl": 0x74, "i32.shr_s": 0x75, "i32.shr_u": 0x76,
  "i64.mul": 0x7e, "i64.shr_u": 0x88,
  "f32.abs": 0x8b, "f32.neg": 0x8c, "f32.ceil": 0x8d, "f32.floor": 0x8e, "f32.trunc": 0x8f, "f32.nearest": 0x90, "f32.sqrt": 0x91,
  "f32.add": 0x92, "f32.sub": 0x93, "f32.mul": 0x94, "f32.div": 0x95,
  "i32.wrap_i64": 0xa7, "i64.extend_i32_u": 0xad, "f32.convert_i32_s": 0xb2, "f32.convert_i32_u": 0xb3,
  "f32.demote_f64": 0xb6, "f64.promote_f32": 0xbb, "i32.reinterpret_f32": 0xbc, "f32.reinterpret_i32": 0xbe,
  "i32.trunc_sat_f32_s": 0xfc0000, "i32.trunc_sat_f32_u": 0xfc0001,
  "v128.load": 0xfd0000, "v128.load32_splat": 0xfd0009, "v128.store": 0xfd000b,
  "i32x4.splat": 0xfd0011, "f32x4.splat": 0xfd0013,
  "i8x16.shuffle": 0xfd000d,
  "i32x4.extract_lane": 0xfd001b, "i32x4.replace_lane": 0xfd001c,
  "f32x4.extract_lane": 0xfd001f, "f32x4.replace_lane": 0xfd0020,
  "i32x4.eq": 0xfd0037, "i32x4.ne": 0xfd0038, "i32x4.lt_s": 0xfd0039, "i32x4.lt_u": 0xfd003a, "i32x4.gt_s": 0xfd003b,
  "i32x4.gt_u": 0xfd003c, "i32x4.le_s": 0xfd003d, "i32x4.le_u": 0xfd003e,
  "f32x4.eq": 0xfd0041, "f32x4.ne": 0xfd0042, "f32x4.lt": 0xfd0043, "f32x4.gt": 0xfd0044, "f32x4.le": 0xfd0045, "f32x4.ge": 0xfd0046,
  "v128.not": 0xfd004d, "v128.and": 0xfd004e, "v128.andnot": 0xfd004f, "v128.or": 0xfd0050, "v128.xor": 0xfd0051,
  "v128.bitselect": 0xfd0052, "v128.any_true": 0xfd0053,
  "v128.load32_lane": 0xfd0056, "v128.store32_lane": 0xfd005a, "v128.store64_lane": 0xfd005b,
  "v128.load32_zero": 0xfd005c, "v128.load64_zero": 0xfd005d,
  "f32x4.demote_f64x2_zero": 0xfd005e, "f64x2.promote_low_f32x4": 0xfd005f,
  "f32x4.ceil": 0xfd0067, "f32x4.floor": 0xfd0068, "f32x4.trunc": 0xfd0069, "f32x4.nearest": 0xfd006a,
  "i16x8.narrow_i32x4_u": 0xfd0086, "f64x2.nearest": 0xfd0094, "i32x4.abs": 0xfd00a0, "i32x4.neg": 0xfd00a1, "i32x4.all_true": 0xfd00a3,
  "i32x4.bitmask": 0xfd00a4,
  "i32x4.extend_low_i16x8_u": 0xfd00a9,
  "i32x4.shl": 0xfd00ab, "i32x4.shr_s": 0xfd00ac, "i32x4.shr_u": 0xfd00ad,
  "i32x4.add": 0xfd00ae, "i32x4.sub": 0xfd00b1, "i32x4.mul": 0xfd00b5,
  "i32x4.min_s": 0xfd00b6, "i32x4.min_u": 0xfd00b7, "i32x4.max_s": 0xfd00b8, "i32x4.max_u": 0xfd00b9,
  "i64x2.extmul_low_i32x4_u": 0xfd00de, "i64x2.extmul_high_i32x4_u": 0xfd00df,
  "f32x4.abs": 0xfd00e0, "f32x4.neg": 0xfd00e1, "f32x4.sqrt": 0xfd00e3, "f32x4.add": 0xfd00e4, "f32x4.sub": 0xfd00e5,
  "f32x4.mul": 0xfd00e6, "f32x4.div": 0xfd00e7, "f32x4.pmin": 0xfd00ea, "f32x4.pmax": 0xfd00eb,
  "f64x2.add": 0xfd00f0, "f64x2.sub": 0xfd00f1, "f64x2.mul": 0xfd00f2, "f64x2.div": 0xfd00f3,
  "i32x4.trunc_sat_f32x4_s": 0xfd00f8, "i32x4.trunc_sat_f32x4_u": 0xfd00f9,
  "f32x4.convert_i32x4_s": 0xfd00fa, "f32x4.convert_i32x4_u": 0xfd00fb,
  "i32x4.trunc_sat_f64x2_s_zero": 0xfd00fc, "i32x4.trunc_sat_f64x2_u_zero": 0xfd00fd,
  "f64x2.convert_low_i32x4_s": 0xfd00fe, "f64x2.convert_low_i32x4_u": 0xfd00ff,
  "f32x4.relaxed_madd": 0xfd0105, "f32x4.relaxed_nmadd": 0xfd0106,
} as const; // prettier-ignore

/** The name of an instruction. */
export type Opcode = keyof typeof OPCODES;
