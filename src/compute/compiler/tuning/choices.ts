/** Who decides between the candidates of a kernel. `lower` asks; what it is told is fixed in the plan that it makes. */
import type { Problem } from "./problem.ts";
import type { Site } from "./site.ts";

export interface Choices {
  /** One of the site's candidates. Anything else counts as the default. */
  choose(site: Site): string;
}

/** The first candidate everywhere. */
export const DEFAULT_CHOICES: Choices = { choose: ({ candidates }) => candidates[0] ?? "" };

/** One candidate wherever a kind of kernel offers it, and the default elsewhere: for measuring that candidate. */
export class ForcedChoices implements Choices {
  /** Whether any site has offered it. */
  wasOffered = false;
  readonly #kind: Problem["kind"];
  readonly #name: string;

  constructor(kind: Problem["kind"], name: string) {
    this.#kind = kind;
    this.#name = name;
  }

  choose(site: Site): string {
    if (site.kind !== this.#kind || !site.candidates.includes(this.#name)) return DEFAULT_CHOICES.choose(site);
    this.wasOffered = true;
    return this.#name;
  }
}
