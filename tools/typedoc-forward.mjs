/** For typedoc: `forward` of a layer is documented by its class, which gives the shapes; no comment says them twice. */
import { Converter, ReflectionKind } from "typedoc";

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const method of project.getReflectionsByKind(ReflectionKind.Method)) {
      if (method.name !== "forward") continue;
      for (const signature of method.signatures ?? []) signature.comment ??= method.parent?.comment?.clone();
    }
  });
}
