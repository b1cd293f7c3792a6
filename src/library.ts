/** What the library offers on every platform, besides `Dataplane` itself. */
export {
  DF_CHECKSUM_OK,
  DF_HEADER_CHECKSUM_OK,
  DF_IDS,
  FW_DEFER,
  FW_FRAGMENT,
  FW_LOCAL,
  FW_NONE,
  FW_REPORT,
  FW_RESOLVE,
  FW_SEND,
  FW_TOO_BIG,
  FW_WAIT,
  VERDICT_DROP,
  VERDICT_HELD,
  VERDICT_LOCAL,
  VERDICT_PASS,
} from "../assembly/layout.js";
export { Batch, type FrameOptions } from "./batch.js";
export { formatDiagnostic } from "./config/diagnostics.js";
export type { Config, Diagnostic } from "./config/model.js";
export { parse, type ParseOptions, type ParseResult } from "./config/parse.js";
export { show } from "./config/show.js";
export {
  CAPACITY_BOUNDS,
  CAPACITY_DEFAULT,
  type Capacity,
  CoreError,
  type CoreSource,
  SEED_BYTES,
} from "./core.js";
export type { Counters, Tally } from "./counters.js";
export type { RuleInfo } from "./dataplane.js";
export { ConfigError, type DataplaneOptions } from "./prepare.js";
export type { EventEnd, FirewallEvent, PacketEvent, SessionEvent } from "./events.js";
export type { Forwarding, LiveInterface, Neighbor } from "./forwarding.js";
export type { Explanation, Phase } from "./explain.js";
export { REASONS, type Reason, reasonOf, type VerdictName } from "./reasons.js";
export { formatSessionId, type Session, type SessionEnd } from "./session-view.js";
export { SnapshotError } from "./snapshot.js";
