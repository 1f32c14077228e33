/** The methods of tensors that sort, pick and place elements by their values or indices. Each is the op of its name. */
import { ArrayMethods } from "./array-methods.ts";

export abstract class IndexingMethods extends ArrayMethods {}
