/**
 * Captures through a firewall, on every platform: `import { CaptureReader, readBatches, Replay } from
 * "twinwall/replay"`.
 */
export {
  type CaptureError,
  type CaptureFormat,
  type CaptureInterface,
  CaptureReader,
  type CaptureReaderOptions,
  formatCaptureError,
  type Packet,
  type PacketBatch,
  readBatches,
} from "../capture/index.js";
export { type Report, reportObject } from "../report/report.js";
export type { VerdictRow } from "../report/verdict.js";
export { startDate } from "./clock.js";
export { gatherReport, type ReplayFacts } from "./gather.js";
export { byCapture, bySource, type CaptureMapping, type Ingress, type IngressProblem } from "./ingress.js";
export type { RowSink } from "./order.js";
export { type HeldLimits, Replay, type ReplayOptions, type ReplayProblem } from "./replay.js";
