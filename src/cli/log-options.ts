/** The options of `twinwall run` about syslog hosts. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { parseAddress } from "../ip.js";
import { type Io, isProblem, readText, type Result } from "../io/io.js";
import type { ServiceOptions } from "../io/live/services.js";

export interface LogVerbOptions {
  readonly logSource?: string;
  readonly logFraming: NonNullable<ServiceOptions["tcpFraming"]>;
  readonly logCa?: string;
  readonly logCert?: string;
  readonly logKey?: string;
  readonly logTlsName?: string;
}

const PEM_BYTES_MAX = 1024 * 1024;
function ownAddress(text: string): string {
  if (parseAddress(text) === undefined) throw new InvalidArgumentError("Expected an IP address.");
  return text;
}

export function addLogOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--log-source <address>", "address of this machine that syslog comes from").argParser(
        ownAddress,
      ),
    )
    .addOption(
      new Option("--log-framing <how>", "how syslog messages in a TCP connection are told apart")
        .choices(["octet-counting", "newline"])
        .default("octet-counting"),
    )
    .option("--log-ca <file>", "certificates that may have signed those of syslog hosts (TLS)")
    .option("--log-cert <file>", "certificate that is shown to syslog hosts (TLS)")
    .option("--log-key <file>", "its key")
    .option("--log-tls-name <name>", "name in the certificates of syslog hosts, instead of their addresses");
}

/** Reads the files that the options name. */
export async function readLogOptions(
  io: Io,
  options: LogVerbOptions,
): Promise<Result<Pick<ServiceOptions, "logHosts" | "tcpFraming">>> {
  const { logCa, logCert, logKey, logSource, logTlsName, logFraming } = options;
  if ((logCert === undefined) !== (logKey === undefined))
    return { problem: "--log-cert and --log-key go together" };
  const pem: { ca?: string; certificate?: string; key?: string } = {};
  for (const [name, path] of [
    ["ca", logCa],
    ["certificate", logCert],
    ["key", logKey],
  ] as const) {
    if (path === undefined) continue;
    const text = await readText(io, path, PEM_BYTES_MAX);
    if (isProblem(text)) return text;
    pem[name] = text.value;
  }
  const logHosts = {
    ...pem,
    ...(logSource !== undefined && { source: logSource }),
    ...(logTlsName !== undefined && { serverName: logTlsName }),
  };
  return { value: { logHosts, tcpFraming: logFraming } };
}
