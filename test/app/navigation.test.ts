import { expect, test } from "vitest";
import { parseRoom, routeOf } from "../../app/navigation.ts";

test("an address names the start page, a room, a step to look into, or nothing", () => {
  expect(routeOf("/")).toEqual({ kind: "home" });
  expect(routeOf("/room/3f1c-9aB_")).toEqual({ kind: "room", room: "3f1c-9aB_" });
  expect(routeOf("/room/3f1c/")).toEqual({ kind: "room", room: "3f1c" });
  expect(routeOf("/inspect")).toEqual({ kind: "inspect", model: null });
  expect(routeOf("/inspect/char-gpt")).toEqual({ kind: "inspect", model: "char-gpt" });
  expect(routeOf("/inspect/a/b")).toEqual({ kind: "unknown", path: "/inspect/a/b" });
  expect(routeOf("/rooms")).toEqual({ kind: "unknown", path: "/rooms" });
  expect(routeOf("/room/a/b")).toEqual({ kind: "unknown", path: "/room/a/b" });
});

test("a room is understood as a link, a link without its scheme, or a bare id", () => {
  expect(parseRoom(" https://hearth.example/room/3f1c9a?device=webgpu ")).toBe("3f1c9a");
  expect(parseRoom("hearth.example/room/3f1c9a")).toBe("3f1c9a");
  expect(parseRoom("3f1c9a")).toBe("3f1c9a");
});

test("what is neither is refused", () => {
  for (const pasted of ["", "   ", "https://hearth.example/", "two words", "javascript:alert(1)", "../../etc"])
    expect(parseRoom(pasted)).toBeNull();
});
