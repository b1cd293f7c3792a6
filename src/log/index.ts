/** The log: what the rest of the project uses of this folder. */
export { LogBuffer } from "./buffer.js";
export {
  Delivery,
  type DeliveryAction,
  type DeliveryInput,
  type DeliveryOptions,
  type DeliveryView,
} from "./delivery.js";
export { iosLine, isoTime, jsonLine, LOG_FORMATS, type LogFormat, lineFormat } from "./format.js";
export { Logger, type LoggerView, type LogSink } from "./logger.js";
export { LOG_PORTS, type LogHost, type LogPlan, logPlan, type LogSettings } from "./plan.js";
export {
  LOG_FIELDS,
  type LogField,
  type LogFields,
  logRecord,
  type LogRecord,
  type RecordOptions,
} from "./record.js";
export {
  lineFramed,
  octetCounted,
  SEQUENCE_MAX,
  SYSLOG_DATAGRAM_MAX,
  SYSLOG_STREAM_MAX,
  syslogMessage,
  type SyslogSender,
} from "./syslog.js";
export { type LogTime, timestamps } from "./timestamps.js";
