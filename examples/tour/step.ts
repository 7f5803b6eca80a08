/** One exchange that the tour shows. */
export interface Step {
  /** Address family, and what of it. */
  family: string;
  /** Does the exchange, and tells in a few words what went to and fro. */
  run(): Promise<string>;
}

/** A step that this machine cannot show, and what would change that. */
export class Unavailable extends Error {
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}
