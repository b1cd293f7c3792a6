/** Capture files: what the rest of the project uses of this folder. */
export { BATCH_PACKETS_DEFAULT, type Packet, type PacketBatch } from "./batch.js";
export type { CaptureInterface } from "./decoder.js";
export { CAPTURED_MAX } from "./format.js";
export {
  ETHERTYPE_IN_FRAME,
  ETHERTYPE_UNKNOWN,
  ethertypeOf,
  headerLengthOf,
  LINK_TYPES,
  type LinkType,
  type Located,
  linkType,
  locate,
} from "./link.js";
export { type CaptureError, type CaptureFormat, formatCaptureError } from "./parser.js";
export { CaptureReader, type CaptureReaderOptions, readBatches } from "./reader.js";
export {
  type CaptureWriter,
  PcapngWriter,
  PcapWriter,
  type PcapWriterOptions,
  type WrittenInterface,
} from "./writer.js";
