/**
 * What goes over the console's socket. A first line that begins with `{` makes it a conversation in JSON, one object to a
 * line in each direction; any other makes it a terminal, whose lines are commands.
 *
 *     {"id":1,"command":"show standby"}     {"id":1,"ok":true,"data":[...]}
 *     {"id":2,"line":"show standby"}        {"id":2,"text":"..."} ...  {"id":2,"ok":true,"prompt":"RouterA#"}
 *     {"id":3,"complete":"show st"}         {"id":3,"ok":true,"data":{"start":5,"words":["standby","startup-config"]}}
 *     {"id":4,"help":"show "}               {"id":4,"ok":true,"data":"  standby  HSRP\n ..."}
 *     {"cancel":2}                          the output of request 2 ends
 *                                           {"log":"*May  1 10:00:00.123: %SYS-5-..."}  after `terminal monitor`
 */

/** Bytes of a line from a client at most. */
export const LINE_BYTES_MAX = 4096;

export type Request = { readonly id: number } & (
  | { readonly command: string }
  | { readonly line: string }
  | { readonly complete: string }
  | { readonly help: string }
);

export interface Cancel {
  readonly cancel: number;
}

/** The last answer to a request. */
export interface Reply {
  readonly id: number;
  readonly ok: boolean;
  readonly data?: unknown;
  readonly error?: string;
  /** After a `line`: what the next one is typed behind, and whether the session has been left. */
  readonly prompt?: string;
  readonly isOver?: boolean;
}

export type ServerLine =
  | Reply
  | { readonly id: number; readonly text: string }
  | { readonly log: string }
  /** Of no request: why the connection ends. */
  | { readonly error: string };

const KINDS = ["command", "line", "complete", "help"] as const;

/** Reads a line of a client; a problem says what is wrong with it. */
export function parseRequest(line: string): Request | Cancel | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: "this is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { problem: "this is no object" };
  const given = value as Record<string, unknown>;
  if (Number.isSafeInteger(given.cancel)) return { cancel: given.cancel as number };
  if (!Number.isSafeInteger(given.id)) return { problem: "id must be a whole number" };
  const kinds = KINDS.filter((kind) => given[kind] !== undefined);
  const [kind] = kinds;
  if (kinds.length !== 1 || typeof given[kind!] !== "string") {
    return { problem: `one of ${KINDS.join(", ")} must be a string` };
  }
  return { id: given.id as number, [kind!]: given[kind!] } as unknown as Request;
}
