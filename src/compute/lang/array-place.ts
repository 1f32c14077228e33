/** Arrays as printers see them: bindings, shared arrays and private ones, each with the name it has in printed code. */
import type { Binding, Kernel, PlainType, StoredType } from "./kernel.ts";
import { printedName } from "./printed-name.ts";
import type { VectorAccess } from "./vector-access.ts";

export interface ArrayPlace {
  readonly space: "binding" | "shared" | "private";
  /** In printed code. */
  readonly name: string;
  /** For people: "binding 2". */
  readonly words: string;
  readonly type: StoredType;
  readonly length: number;
  readonly access: Binding["access"];
  /** Printed as an array of vectors. */
  readonly isVector: boolean;
}

/** The arrays that a kernel has before its body begins. */
export interface StoragePlaces {
  readonly bindings: readonly ArrayPlace[];
  readonly shared: readonly ArrayPlace[];
}

/** The arrays of a kernel, those as arrays of vectors that are to be. */
export function storagePlaces({ bindings, workgroup }: Kernel, vectors: VectorAccess): StoragePlaces {
  return {
    bindings: bindings.map((binding, i) => ({
      ...binding,
      space: "binding",
      name: `b${binding.aliasOf ?? i}`,
      words: `binding ${i}`,
      isVector: vectors.bindings.has(i),
    })),
    shared: (workgroup?.shared ?? []).map((array, i) => ({
      ...array,
      space: "shared",
      name: `s${i}`,
      words: `shared array ${i}`,
      access: "readWrite",
      isVector: vectors.shared.has(i),
    })),
  };
}

export function privatePlace(name: string, type: PlainType, length: number): ArrayPlace {
  const words = `private array ${name}`;
  return { space: "private", name: printedName(name), words, type, length, access: "readWrite", isVector: false };
}
