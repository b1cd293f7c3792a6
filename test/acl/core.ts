/**
 * The access lists of the core, compiled alone. The section ends where the memory ends, so that a read beyond it
 * traps.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import * as L from "../../assembly/layout.js";
import { type CompiledLists, compileAccessLists } from "../../src/acl/compile.js";
import type { AclPacket } from "../../src/acl/evaluate.js";
import type { Config, Family } from "../../src/config/model.js";
import type { Address } from "../../src/ip.js";
import { type Extension, extension, ipv4, ipv6, raw } from "../support/frames.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Every export of these files is an export of the module. */
const SOURCES = ["assembly/acl.ts", "assembly/acl-validate.ts"];
const OPTIONS =
  "--runtime stub --importMemory --noExportMemory --enable simd -O1 --noAssert --use abort=".split(" ");

interface Exports {
  evaluate(section: number, list: number, key: number): number;
  scan(section: number, list: number, key: number): number;
  isPermit(section: number, found: number): number;
  isLog(section: number, found: number): number;
  listCount(section: number): number;
  ruleCount(section: number): number;
  validate(section: number, size: number): number;
}

const PAGE = 65536;
const PAGES = 160;
const KEY_AT = L.STATE_AT + PAGE;
const HEADER_AT = KEY_AT + L.KEY_SIZE;

export interface AclCore {
  /** Puts a section where `find` and the others look for it, without checking it. */
  load(section: Uint8Array): void;
  validate(): boolean;
  /** Bit i: time range i is active. */
  setTimeRanges(bits: bigint): void;
  /** Makes the key of a packet, for the lookups that follow. */
  setPacket(packet: AclPacket): void;
  /** Rule number + 1, or 0. */
  find(list: number): number;
  /** The same, record by record. */
  scan(list: number): number;
  isPermit(found: number): boolean;
  isLog(found: number): boolean;
  listCount(): number;
  ruleCount(): number;
}

/** Compiles assembly/acl.ts: some seconds. */
export async function aclCore(): Promise<AclCore> {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(await compile()), { env: { memory } });
  const core = instance.exports as unknown as Exports;
  const bytes = new Uint8Array(memory.buffer);
  const view = new DataView(memory.buffer);
  let sectionAt = 0;
  return {
    load(section) {
      sectionAt = bytes.length - section.length;
      bytes.set(section, sectionAt);
    },
    validate: () => core.validate(sectionAt, bytes.length - sectionAt) !== 0,
    setTimeRanges: (bits) => view.setBigUint64(L.STATE_AT + L.S_TIME_RANGES, bits, true),
    setPacket: (packet) => writeKey(view, packet),
    find: (list) => core.evaluate(sectionAt, list, KEY_AT) >>> 0,
    scan: (list) => core.scan(sectionAt, list, KEY_AT) >>> 0,
    isPermit: (found) => core.isPermit(sectionAt, found) !== 0,
    isLog: (found) => core.isLog(sectionAt, found) !== 0,
    listCount: () => core.listCount(sectionAt) >>> 0,
    ruleCount: () => core.ruleCount(sectionAt) >>> 0,
  };
}

/** Compiles lists and loads them; they have to be sound. */
export function loadLists(core: AclCore, config: Config, family: Family, names = ["L"]): CompiledLists {
  const result = compileAccessLists(
    config,
    names.map((name) => ({ family, name })),
  );
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  core.load(result.lists.section);
  expect(core.validate()).toBe(true);
  return result.lists;
}

/** Rule number + 1 for a packet, or 0: the same by both ways to look. */
export function findRule(core: AclCore, packet: AclPacket, list = 1): number {
  core.setPacket(packet);
  const found = core.find(list);
  const scanned = core.scan(list);
  if (found !== scanned) expect.fail(`${found} found, ${scanned} read: ${describePacket(packet)}`);
  return found;
}

/** A later fragment of a packet; what it does not show stays in it, and must not be looked at. */
export const fragmentOf = (packet: AclPacket): AclPacket => ({ ...packet, nonInitialFragment: true });

export function describePacket(packet: AclPacket): string {
  return JSON.stringify(packet, (_, value) => (typeof value === "bigint" ? value.toString(16) : value));
}

/** In a process of its own: the compiler's types, once imported, declare globals for the whole project. */
async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  const asc = join(
    dirname(createRequire(import.meta.url).resolve("assemblyscript/package.json")),
    "bin/asc.js",
  );
  const folder = await mkdtemp(join(tmpdir(), "twinwall-acl-"));
  try {
    const outFile = join(folder, "acl.wasm");
    const options = [...SOURCES, ...OPTIONS, "--outFile", outFile];
    await promisify(execFile)(process.execPath, [asc, ...options], { cwd: ROOT });
    return new Uint8Array(await readFile(outFile));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The key that the core makes of a packet, and the IP header that it points to. */
function writeKey(view: DataView, packet: AclPacket): void {
  const v6 = typeof packet.source === "bigint";
  const header = headerOf(packet);
  new Uint8Array(view.buffer).fill(0, KEY_AT, HEADER_AT);
  new Uint8Array(view.buffer).set(header, HEADER_AT);
  writeAddress(view, KEY_AT + L.K_SOURCE, packet.source);
  writeAddress(view, KEY_AT + L.K_DESTINATION, packet.destination);
  const u32: [field: number, value: number | undefined][] = [
    [L.K_SOURCE_PORT, packet.sourcePort],
    [L.K_DESTINATION_PORT, packet.destinationPort],
    [L.K_PROTOCOL, packet.protocol],
    [L.K_FLOW_LABEL, packet.flowLabel],
    [L.K_NETWORK, HEADER_AT],
    [L.K_NETWORK_AVAILABLE, header.length],
  ];
  const extensions =
    (packet.hopByHop ? L.KX_HOP_BY_HOP : 0) |
    (packet.routingType === undefined ? 0 : L.KX_ROUTING) |
    (packet.destinationOptions === undefined ? 0 : L.KX_DESTINATION) |
    (packet.mobilityType === undefined ? 0 : L.KX_MOBILITY) |
    (packet.authenticationHeader ? L.KX_AH : 0) |
    (packet.undeterminedTransport ? L.KX_UNDETERMINED : 0);
  const flags =
    (v6 ? L.KF_V6 : 0) |
    (packet.nonInitialFragment ? L.KF_FRAGMENT : 0) |
    (packet.options !== undefined && packet.options.length > 0 ? L.KF_OPTIONS : 0);
  const u8: [field: number, value: number | undefined][] = [
    [L.K_TCP_FLAGS, packet.tcpFlags],
    [L.K_ICMP_TYPE, packet.icmpType ?? packet.igmpType],
    [L.K_ICMP_CODE, packet.icmpCode],
    [L.K_TOS, packet.trafficClass],
    [L.K_TTL, packet.ttl],
    [L.K_EXTENSIONS, extensions],
    [L.K_ROUTING_TYPE, packet.routingType],
    [L.K_FLAGS, flags],
  ];
  for (const [field, value] of u32) view.setUint32(KEY_AT + field, value ?? 0, true);
  for (const [field, value] of u8) view.setUint8(KEY_AT + field, value ?? 0);
}

const wordsOf = (address: bigint): number[] =>
  [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & 0xffffffffn));

function writeAddress(view: DataView, at: number, address: Address): void {
  const words = typeof address === "number" ? [address] : wordsOf(address);
  words.forEach((word, place) => {
    view.setUint32(at + 4 * place, word, true);
  });
}

const NO_PAYLOAD = raw(59);
const OPTION_END = 0;
const OPTION_NOP = 1;

/** The IP header with what conditions look for in it: options, extension headers. */
function headerOf(packet: AclPacket): Uint8Array {
  const { source, destination, protocol } = packet;
  if (typeof source === "number") {
    const options = (packet.options ?? []).flatMap((type) =>
      type === OPTION_END || type === OPTION_NOP ? [type, type, type, type] : [type, 4, 0, 0],
    );
    return ipv4({ source, destination, protocol, options }, NO_PAYLOAD);
  }
  const extensions: Extension[] = [];
  if (packet.hopByHop) extensions.push(extension.hopByHop());
  if (packet.destinationOptions !== undefined) {
    extensions.push(extension.destination(packet.destinationOptions.flatMap((type) => [type, 1, 0])));
  }
  if (packet.routingType !== undefined) extensions.push(extension.routing(packet.routingType, 0));
  if (packet.authenticationHeader) extensions.push(extension.authentication());
  if (packet.mobilityType !== undefined) extensions.push(extension.mobility(packet.mobilityType));
  if (packet.nonInitialFragment) extensions.push(extension.fragment(1, 1480, true));
  return ipv6({ source, destination, protocol, extensions }, NO_PAYLOAD);
}
