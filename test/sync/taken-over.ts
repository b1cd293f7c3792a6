/** A TCP connection that the standby of a pair has taken over. */
import { expect } from "vitest";
import * as L from "../../assembly/layout.js";
import { tcpOption } from "../support/frames.js";
import { type Box, Pair, type PairOptions } from "./pair.js";
import { type Fields, Talk } from "./talk.js";

/** Options of a SYN that allow the largest windows. */
export const WIDE = [...tcpOption.windowScale(14), ...tcpOption.sackPermitted()];

/** What the box answers to a segment of an open session. */
export const pass = { verdict: "pass", reason: "established" };

/** Whether a direction of the one session has not been proved yet. */
export const isResuming = (box: Box): boolean =>
  (box.core.bytes[box.hotAt(box.session().id) + L.HOT_FLAGS]! & L.HF_RESYNC) !== 0;

export interface Scene {
  pair: Pair;
  heir: Box;
  talk: Talk;
}

/** A connection that the active has seen and the standby knows; what `unseen` does on the active is not told. */
export function takenOver(
  unseen: (talk: Talk) => void = () => {},
  { client = {}, server = {}, ...options }: PairOptions & { client?: Fields; server?: Fields } = {},
): Scene {
  const pair = Pair.connected(options);
  const talk = new Talk(pair.active).open(client, server);
  pair.drain();
  unseen(talk);
  const heir = pair.promote();
  talk.box = heir;
  expect(isResuming(heir)).toBe(true);
  return { pair, heir, talk };
}
