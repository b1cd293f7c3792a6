/**
 * Setting an association up (RFC 9260 section 5): INIT, INIT ACK with a signed cookie, COOKIE ECHO, COOKIE ACK.
 */
import { type Agreement, type Association, agree, newAssociation } from "./association.js";
import type { Cause } from "./cause.js";
import type { Chunk, ChunkOf } from "./chunk.js";
import { type CookieMeaning, meaningOf } from "./collision.js";
import { answer, type Context, count, sendPacket } from "./context.js";
import { COOKIE_LIFE_MS, type Cookie, cookieStalenessMs, mintCookie } from "./cookie.js";
import {
  agreementOf,
  fittingReports,
  isInitValid,
  ownTerms,
  readTerms,
  supportedAddressTypes,
} from "./init.js";
import { NEVER_MS } from "./instant.js";
import { COMMON_HEADER } from "./packet.js";
import { activate, startHeartbeats } from "./paths.js";
import { backOff, sampleRtt } from "./rto.js";
import { ITEM_HEADER } from "./tlv.js";

const MICROSECONDS_PER_MS = 1000;
const U32_MAX = 0xffff_ffff;

// ---- The side that is asked.

/** A tag that is not 0 and not `other`. */
function freshTag(context: Context, other: number): number {
  const tag = context.settings.random() >>> 0;
  return tag !== 0 && tag !== other ? tag : (other ^ 1) >>> 0 || 2;
}

/** An INIT that cannot be granted: an ABORT to the tag that it announces. */
export function refuseInit(context: Context, init: ChunkOf<"init">, causes: Cause[]): void {
  answer(context, init.initiateTag, () => [{ kind: "abort", flags: 0, causes }]);
}

/** Whether an INIT makes sense; if not, it has been answered as far as it can be. */
export function isInitGranted(context: Context, init: ChunkOf<"init">): boolean {
  const hostName = init.parameters.find(({ kind }) => kind === "hostName");
  if (init.initiateTag !== 0 && isInitValid(init) && hostName === undefined) return true;
  if (init.initiateTag === 0) return false;
  const bytes = new Uint8Array(0);
  refuseInit(context, init, [
    hostName !== undefined ? { kind: "unresolvableAddress", bytes } : { kind: "invalidParameter" },
  ]);
  return false;
}

/**
 * Answers an INIT and keeps nothing. `isOwn`: with the tag and TSN of our own INIT, which is under way (section
 * 5.2.1); else with fresh ones, and what exists is not touched (section 5.2.2).
 */
export function offer(context: Context, init: ChunkOf<"init">, isOwn: boolean): void {
  const { state, settings, nowMs } = context;
  const { association } = state;
  answer(context, init.initiateTag, () => {
    const terms = readTerms(context, init.parameters);
    const own =
      isOwn && association !== undefined
        ? { localTag: association.localTag, localInitialTsn: association.localInitialTsn }
        : {
            localTag: freshTag(context, association?.localTag ?? 0),
            localInitialTsn: settings.random() >>> 0,
          };
    const hasTies = association !== undefined && state.code !== "CW";
    const cookie = mintCookie(state.cookieKey, {
      ...agreementOf(init, terms, own),
      mintedAtMs: nowMs,
      lifeMs: COOKIE_LIFE_MS + terms.incrementMs,
      epoch: state.epoch,
      localTieTag: hasTies ? association.localTieTag : 0,
      peerTieTag: hasTies ? association.peerTieTag : 0,
    });
    count(context, "cookies_minted");
    const chunk: ChunkOf<"initAck"> = {
      ...ownTerms(context.settings),
      kind: "initAck",
      initiateTag: own.localTag,
      initialTsn: own.localInitialTsn,
    };
    chunk.parameters.push({ kind: "stateCookie", bytes: cookie });
    chunk.parameters.push(...fittingReports(context, chunk, terms.unrecognized));
    return [chunk];
  });
}

/** What a cookie, which is one of ours, means to the association that exists; "new": there is none. */
export function cookieMeaning(
  association: Association | undefined,
  cookie: Cookie,
  nowMs: number,
): CookieMeaning | "new" {
  const age = cookieStalenessMs(cookie, nowMs) > 0 ? "stale" : "fresh";
  if (association === undefined) return age === "stale" ? "stale" : "new";
  const { localTieTag, peerTieTag } = cookie;
  const hasTies = localTieTag !== 0 || peerTieTag !== 0;
  const areTies = localTieTag === association.localTieTag && peerTieTag === association.peerTieTag;
  return meaningOf({
    local: cookie.localTag === association.localTag ? "match" : "differ",
    peer: cookie.peerTag === association.peerTag ? "match" : "differ",
    ties: hasTies ? (areTies ? "match" : "differ") : "zero",
    age,
  });
}

/** Tells the peer that its cookie is too old, so that it asks for a new one (section 5.2.6). */
export function refuseStaleCookie(context: Context, cookie: Cookie): void {
  const stalenessMs = Math.max(0, cookieStalenessMs(cookie, context.nowMs));
  const stalenessMicroseconds = Math.min(Math.round(stalenessMs * MICROSECONDS_PER_MS), U32_MAX);
  answer(context, cookie.peerTag, () => [
    { kind: "error", flags: 0, causes: [{ kind: "staleCookie", stalenessMicroseconds }] },
  ]);
}

/** The association that a cookie describes takes the place of what is there. */
export function establishFromCookie(context: Context, cookie: Cookie): void {
  const { state } = context;
  const wasUp = state.association?.isUp ?? false;
  state.association = newAssociation(cookie, context.settings);
  context.replies.push({ kind: "cookieAck", flags: 0 });
  comeUp(context, state.association, wasUp);
}

/** User data may flow. `isRestart`: the application has seen an association that is not there any more. */
function comeUp(context: Context, association: Association, isRestart: boolean): void {
  const { state } = context;
  association.isUp = true;
  state.isSenderWaiting = false;
  state.isCorked = false;
  state.reconnectMs = 0;
  state.connectAtMs = NEVER_MS;
  count(context, isRestart ? "restarts" : "associations");
  context.actions.push({ kind: isRestart ? "restarted" : "up" });
  const path = association.paths[context.arrival!.path]!;
  activate(context, association, path);
  startHeartbeats(context, association);
}

// ---- The side that asks.

/** A new association of ours, and its INIT. */
export function initiate(context: Context): void {
  const { settings, state, nowMs } = context;
  const association = newAssociation(
    {
      localTag: freshTag(context, 0),
      localInitialTsn: settings.random() >>> 0,
      peerTag: 0,
      peerInitialTsn: 0,
      peerWindow: 0,
      peerOutboundStreams: 0,
      peerInboundStreams: 0,
      pathMask: U32_MAX,
    },
    settings,
  );
  association.setupSinceAtMs = nowMs;
  state.association = association;
  sendInit(context, association);
}

export function sendInit(context: Context, association: Association): void {
  const chunk: ChunkOf<"init"> = {
    ...ownTerms(context.settings),
    kind: "init",
    initiateTag: association.localTag,
    initialTsn: association.localInitialTsn,
  };
  chunk.parameters.push(supportedAddressTypes(context.settings));
  if (association.preservativeMs > 0) {
    chunk.parameters.push({ kind: "cookiePreservative", incrementMs: association.preservativeMs });
  }
  count(context, "inits_sent");
  sendPacket(context, association.setupPath, 0, [chunk]);
  armSetup(context, association);
}

function armSetup(context: Context, association: Association): void {
  association.setupAtMs = context.nowMs + association.paths[association.setupPath]!.rtoMs;
}

/** T1 has expired, or the cookie was too old: the next attempt, on the next path. False: one too many. */
export function retrySetup(context: Context, association: Association): boolean {
  const { paths } = association;
  const path = paths[association.setupPath]!;
  backOff(path, context.settings);
  association.setupRetransmissions++;
  const next = paths[(association.setupPath + 1) % paths.length]!;
  if (next.state !== "absent") {
    next.rtoMs = Math.max(next.rtoMs, path.rtoMs);
    association.setupPath = next.index;
  }
  return association.setupRetransmissions <= context.settings.initRetransmit;
}

/** What an INIT ACK offers; undefined: nothing that can be used. */
export function judgeInitAck(
  context: Context,
  association: Association,
  initAck: ChunkOf<"initAck">,
): { agreement: Agreement; cookie: Uint8Array; unrecognized: Uint8Array[] } | undefined {
  const { cookie, ...terms } = readTerms(context, initAck.parameters);
  const cookieMax = context.settings.mtu - COMMON_HEADER - ITEM_HEADER;
  const isUsable = initAck.initiateTag !== 0 && isInitValid(initAck) && !terms.hasHostName;
  if (!isUsable || cookie === undefined || cookie.length > cookieMax) {
    count(context, "init_invalid");
    return undefined;
  }
  const agreement = agreementOf(initAck, { cookie, ...terms }, association);
  return { agreement, cookie, unrecognized: terms.unrecognized };
}

/** Takes an INIT ACK and sends its cookie back. */
export function echo(
  context: Context,
  association: Association,
  offered: NonNullable<ReturnType<typeof judgeInitAck>>,
): void {
  const path = association.paths[context.arrival!.path]!;
  // Which INIT was answered is only known when there was one.
  if (association.setupRetransmissions === 0) {
    sampleRtt(path, context.nowMs - association.setupSinceAtMs, context.settings);
  }
  agree(association, offered.agreement, context.settings);
  association.setupPath = path.index;
  association.setupSinceAtMs = context.nowMs;
  association.peerCookie = offered.cookie;
  sendCookie(context, association, offered.unrecognized);
}

/** COOKIE ECHO, and with it what the INIT ACK had that we do not know. */
export function sendCookie(
  context: Context,
  association: Association,
  unrecognized: readonly Uint8Array[],
): void {
  const chunk: ChunkOf<"cookieEcho"> = { kind: "cookieEcho", flags: 0, bytes: association.peerCookie! };
  const causes: Cause[] = fittingReports(context, chunk, unrecognized).map((report) => ({
    kind: "unrecognizedParameters",
    bytes: (report as { bytes: Uint8Array }).bytes,
  }));
  const chunks: Chunk[] = [chunk];
  if (causes.length > 0) chunks.push({ kind: "error", flags: 0, causes });
  sendPacket(context, association.setupPath, association.peerTag, chunks);
  armSetup(context, association);
}

/** COOKIE ACK: the peer has the association too. */
export function confirm(context: Context, association: Association): void {
  if (association.setupRetransmissions === 0 && context.arrival!.path === association.setupPath) {
    const path = association.paths[association.setupPath]!;
    sampleRtt(path, context.nowMs - association.setupSinceAtMs, context.settings);
  }
  settleSetup(context, association);
}

/** The peer has sent our cookie back before it has answered its own, for the same association (5.2.4, action D). */
export function meet(context: Context, association: Association): void {
  context.replies.push({ kind: "cookieAck", flags: 0 });
  settleSetup(context, association);
}

function settleSetup(context: Context, association: Association): void {
  association.setupAtMs = NEVER_MS;
  association.peerCookie = undefined;
  comeUp(context, association, false);
}

/** The peer found our cookie too old: a new INIT, which asks for a longer life (section 5.2.6). */
export function refresh(context: Context, association: Association, stalenessMicroseconds: number): void {
  association.peerCookie = undefined;
  association.preservativeMs = Math.ceil((stalenessMicroseconds / MICROSECONDS_PER_MS) * 2);
  sendInit(context, association);
}
