/** Records and what else the tests of the log are made with. */
import fc from "fast-check";
import { parse } from "../../src/config/parse.js";
import type { Config } from "../../src/config/model.js";
import { LOG_FIELDS, type LogFields, logRecord, type LogRecord } from "../../src/log/index.js";

export const TIME = { wallMs: Date.UTC(2024, 2, 1, 8, 5, 9, 7), uptimeMs: 65_430 };

export function record(text = "%HSRP-5-STATECHANGE: Gi0/0 Grp 1 state Standby -> Active"): LogRecord {
  return logRecord(text, TIME);
}

export function configOf(text: string): Config {
  const { config, diagnostics } = parse(text, { file: "log.cfg" });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return config;
}

/** What breaks lines, quotes, brackets, terminals and encodings. */
const NASTY = fc.constantFrom(
  ..."\n\r\t\0\u001b\u007f\u0085\u009b\u2028\u2029\u202e\ud800\udc00\"'\\]=[<>% \ufeffé漢😀",
  "\r\n<0>1 - - - - - - forged",
  "%SYS-0-FORGED: no",
);
export const HOSTILE_TEXT = fc
  .array(fc.oneof(NASTY, fc.string({ unit: "binary", maxLength: 8 })), { maxLength: 60 })
  .map((parts) => parts.join(""));

export const HOSTILE_RECORD = fc
  .record({
    text: HOSTILE_TEXT,
    fields: fc.dictionary(fc.constantFrom(...LOG_FIELDS), fc.oneof(HOSTILE_TEXT, fc.nat()), { maxKeys: 12 }),
    hasHeader: fc.boolean(),
  })
  .map(({ text, fields, hasHeader }) =>
    logRecord(hasHeader ? `%FW-6-DROP_PKT: ${text}` : text, TIME, { fields: fields as LogFields }),
  );
