// What a verification says, and how its steps say that something is wrong.

/** In one word; FORMAT.md section 6 has the meanings. */
export type Verdict =
  | "intact"
  | "self_consistent"
  | "tampered"
  | "truncated"
  | "forked"
  | "empty"
  | "unreadable";

/** 0: good. 10: it was read, and something is wrong. 11: nothing could be verified. */
export function exitCode(verdict: Verdict): 0 | 10 | 11 {
  switch (verdict) {
    case "intact":
    case "self_consistent":
      return 0;
    case "tampered":
    case "truncated":
    case "forked":
      return 10;
    case "empty":
    case "unreadable":
      return 11;
  }
}

/** The first thing that is wrong. Each step throws it; what is exported never does. */
export class Fault extends Error {
  /** `place` is an event's position, or the name of a part of the file. */
  constructor(
    readonly verdict: Verdict,
    readonly place: bigint | string,
    readonly detail: string,
  ) {
    super(detail);
  }

  /** Whatever was thrown: a slip of ours must end in a verdict too, and never in a good one. */
  static of(error: unknown): Fault {
    return error instanceof Fault ? error : new Fault("unreadable", "verifier", String(error));
  }
}

/** The fault as the report's fields. */
export function finding({ verdict, place, detail }: Fault) {
  return { verdict, place: typeof place === "bigint" ? `event ${place}` : place, detail };
}
