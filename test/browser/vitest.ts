/**
 * Vitest's names on top of mocha, for suites that run in Node and in a browser alike: `web-test-runner.config.mjs` puts
 * this file in the place of "vitest". The same `expect` (it is a package of its own), and the part of `test` that our
 * suites use; anything else fails loudly when it is imported.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  chai,
  getState,
  setState,
} from "@vitest/expect";
import type { ExpectStatic } from "@vitest/expect";

type Body = () => void | Promise<void>;
type Hook = (body: Body, timeoutMs?: number) => void;

/** What mocha puts on the page, as far as it is used here. */
interface Mocha {
  describe(name: string, body: () => void): void;
  it(name: string, body?: (this: { timeout(ms: number): void }) => void | Promise<void>): void;
  before(body: Body): void;
  after(body: Body): void;
  beforeEach(body: Body): void;
  afterEach(body: Body): void;
}

const mocha = globalThis as unknown as Mocha;

interface Test {
  (name: string, body: Body, timeoutMs?: number): void;
  (name: string, options: { timeout?: number }, body: Body): void;
  skip(name: string, body?: Body): void;
  skipIf(condition: boolean): Test;
  runIf(condition: boolean): Test;
  each<T>(cases: readonly T[]): (name: string, body: (value: T) => void | Promise<void>, timeoutMs?: number) => void;
}

function run(name: string, second: Body | { timeout?: number }, third?: Body | number): void {
  const body = typeof second === "function" ? second : (third as Body);
  const timeoutMs = typeof second === "function" ? (third as number | undefined) : second.timeout;
  mocha.it(name, function () {
    if (timeoutMs !== undefined) this.timeout(timeoutMs);
    return body();
  });
}

const skip = (name: string): void => mocha.it(name);

/** `%s` and `$key` in names, as vitest has them. */
function named(name: string, value: unknown): string {
  const simple = name.replace(/%[sdijo]/, typeof value === "string" ? value : JSON.stringify(value));
  return simple.replace(/\$(\w+)/g, (whole, key: string) => {
    const field = (value as Record<string, unknown> | null)?.[key];
    return field === undefined ? whole : String(field as string);
  });
}

export const test: Test = Object.assign(run as Test, {
  skip,
  skipIf: (condition: boolean): Test => (condition ? (skip as unknown as Test) : test),
  runIf: (condition: boolean): Test => (condition ? test : (skip as unknown as Test)),
  each:
    <T>(cases: readonly T[]) =>
    (name: string, body: (value: T) => void | Promise<void>, timeoutMs?: number): void => {
      for (const value of cases) run(named(name, value), () => body(value), timeoutMs);
    },
});

export const describe: (name: string, body: () => void) => void = (name, body) => mocha.describe(name, body);
export const beforeAll: Hook = (body) => mocha.before(body);
export const afterAll: Hook = (body) => mocha.after(body);
export const beforeEach: Hook = (body) => mocha.beforeEach(body);
export const afterEach: Hook = (body) => mocha.afterEach(body);

chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

const asserting = (value: unknown, message?: string): unknown => {
  setState({ assertionCalls: getState(expect).assertionCalls + 1 }, expect);
  return chai.expect(value, message);
};

/** With all of vitest's matchers, and `expect.any`, `expect.objectContaining` and their like. */
export const expect: ExpectStatic = Object.assign(
  asserting as ExpectStatic,
  (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
);
setState({ assertionCalls: 0 }, expect);
