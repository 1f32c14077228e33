/** `Symbol.dispose` where the engine has none yet: under the name that compilers of `using` fall back to. */
if ((Symbol as { readonly dispose?: symbol }).dispose === undefined) {
  Object.defineProperty(Symbol, "dispose", { value: Symbol.for("Symbol.dispose") });
}
