/**
 * Writes the inputs that the fuzzers of the core start from: conversations as operations.c reads them, and the captures
 * in examples/ frame by frame; with records, as records.c reads them.
 *
 *   tsx fuzz/core/seeds.ts packets|records|activate FOLDER
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CaptureReader, readBatches } from "../../src/capture/index.js";

/** Records of packets.c, in hex. */
const SYN = (hosts: string, service: string): string => `00 ${hosts} ${service} 60 00`;
const SYN_ACK = (hosts: string, service: string): string => `00 ${hosts} ${service} 61 00`;
const DATA = (hosts: string, service: string, bytes = "20"): string => `00 ${hosts} ${service} 02 ${bytes}`;
const FIN = (hosts: string, service: string): string => `00 ${hosts} ${service} 03 00`;
const RST = (hosts: string, service: string): string => `00 ${hosts} ${service} 04 00`;
const SAY = (hosts: string, service: string, act: string, argument: string): string =>
  `00 ${hosts} ${service} ${act} ${argument}`;
const TIME = (low: string, high: string): string => `08 ${low} ${high}`;
const CONTROL = (what: string, argument: string): string => `09 ${what} ${argument}`;

/** The same hosts with the responder speaking. */
const back = (hosts: string): string => (Number.parseInt(hosts, 16) | 0x80).toString(16);

function opening(hosts: string, service: string): string[] {
  return [SYN(hosts, service), SYN_ACK(back(hosts), service), DATA(hosts, service, "00")];
}

/** Inside to outside, outside to the web server, outside to the mail server, guests, the laboratory; IPv4 and IPv6. */
const PAIRS = ["18", "10", "0b", "22", "23", "1d", "26", "58", "50", "4b", "08", "20", "30"];
const STARTS = ["00", "01", "02", "03", "87", "04", "08", "8b", "43", "0f", "0c"];

function conversations(): string[][] {
  const all: string[][] = [];
  for (const [i, pair] of PAIRS.entries()) {
    const start = STARTS[i % STARTS.length]!;
    const service = `${i % 8}${["0", "1", "2", "5", "4"][i % 5]}`;
    all.push(
      [
        start,
        ...opening(pair, "00"),
        DATA(pair, "00"),
        DATA(back(pair), "00"),
        FIN(pair, "00"),
        FIN(back(pair), "00"),
        DATA(pair, "00", "00"),
      ],
      [start, ...opening(pair, service), RST(back(pair), service), SYN(pair, service)],
      ...["06", "07", "08", "09", "0a", "0b", "0c", "0d", "0e"].map((each) => [
        start,
        ...["00", "03", "02"].flatMap((act) => [
          SAY(pair, each, act, "20"),
          SAY(back(pair), each, act, "20"),
        ]),
      ]),
      ...Array.from({ length: 16 }, (_, act) => [
        start,
        ...opening(pair, "00"),
        SAY(pair, "00", act.toString(16).padStart(2, "0"), "05"),
        SAY(back(pair), "00", `4${act.toString(16)}`, "85"),
        DATA(pair, "00"),
      ]),
      [
        start,
        ...opening(pair, "00"),
        DATA(pair, "00"),
        "07 00 0b",
        DATA(back(pair), "00"),
        "07 81 03",
        "07 42 00",
      ],
      [start, SAY(pair, "06", "00", "20"), "07 80 0b", "07 03 0a"],
      [
        start,
        `0e 40 ${pair} 00`,
        `0e 40 ${pair} 06`,
        TIME("ff", "3f"),
        CONTROL("00", "40"),
        `0e 20 ${pair} 09`,
      ],
      [
        start,
        ...["00", "01", "02", "03", "04", "08", "10", "20"].flatMap((order) => [
          `0c 08 ${order}`,
          SAY(pair, "08", "00", "c9"),
        ]),
      ],
      [start, "0c 03 01", DATA(pair, "00", "80"), TIME("ff", "2f"), CONTROL("02", "00")],
      ...["01", "02", "03", "04", "05", "06", "07", "12", "32", "41", "17", "9a"].map((headers) => [
        start,
        `0d ${headers} 00`,
        SYN(pair, "00"),
        `0d ${headers} 04`,
        SAY(pair, "06", "00", "10"),
      ]),
      [
        start,
        CONTROL("04", "01"),
        ...opening(pair, "00"),
        CONTROL("04", "02"),
        DATA(pair, "00"),
        CONTROL("04", "03"),
        DATA(pair, "00"),
        CONTROL("04", "00"),
        DATA(back(pair), "00"),
      ],
    );
  }
  all.push([
    "03",
    "0f 00 10 00",
    "0f 01 10 00",
    "0f 02 10 00",
    "0f 03 10 00",
    "0f 04 00 00",
    "0f 05 00 00",
    "0f 06 20 00",
  ]);
  all.push([
    "03",
    ...Array.from({ length: 6 }, (_, i) => `0e ff 18 ${i}0`),
    TIME("ff", "0f"),
    SYN("18", "70"),
  ]);
  all.push(["03", ...Array.from({ length: 6 }, (_, i) => `0e ff 5a ${i}6`), TIME("ff", "6f"), "0e 80 18 09"]);
  return all;
}

/** Frames of one input made of a capture. */
const FRAMES_PER_SEED = 24;
/** Of one input for `records`, which has them twice. */
const FRAMES_TOLD = 6;
const FRAME_MAX = 400;
const CAPTURES = ["office", "ftp", "ipv6", "fragments", "scan", "transfer"];

async function* captureSeeds(framesPerSeed: number): AsyncGenerator<Uint8Array> {
  const folder = new URL("../../examples/", import.meta.url);
  for (const name of CAPTURES) {
    const bytes = readFileSync(fileURLToPath(new URL(`${name}.pcapng`, folder)));
    let input: number[] = [0x02];
    let frames = 0;
    let taken = 0;
    for await (const packets of readBatches([bytes], new CaptureReader())) {
      for (let i = 0; i < packets.count && taken < 480; i++) {
        const length = packets.capturedLength[i]!;
        if (length > FRAME_MAX) continue;
        const frame = packets.bytes.subarray(packets.offset[i]!, packets.offset[i]! + length);
        // By its source address, as `twinwall replay` does.
        input.push(0x16, 0, 0, length & 255, length >> 8, ...frame);
        taken++;
        if (++frames % framesPerSeed !== 0) continue;
        yield Uint8Array.from(input);
        input = [0x02];
      }
    }
    if (input.length > 1) yield Uint8Array.from(input);
  }
}

/** Operations of records.c, in hex: everything that packets.c does comes behind a byte of its own. */
const DO = (...operations: string[]): string[] => operations.map((each) => `0c ${each}`);
const SYNC = (what: string, argument: string): string => `05 ${what} ${argument}`;
const PEER = SYNC("00", "01");
const BULK = SYNC("01", "00");
const WRITE = SYNC("03", "ff");
const GIVE_ALL = ["05", "06"];
const BECOME_STANDBY = "0b";
const CLEAR = "08";
const TAKE_OVER = "0a";
/** A record about the last packet: action and state as layout.ts numbers them. */
const RECORD = (action: number, state: string, id: string, version: string, argument: string): string =>
  `01 0${action - 1} ${state} ${id} ${version} ${argument}`;
const CHANGE = (at: string, how: string, value: string): string => `03 ${at} ${how} ${value}`;
const TCP_STATES = ["01", "02", "03", "04", "05", "06", "07", "09"];
const OPEN_STATES = ["0a", "0b"];

/** A box that tells of its sessions, forgets them, hears of them as a standby, and takes over. */
function* syncSeeds(): Generator<string[]> {
  for (const [i, pair] of PAIRS.entries()) {
    const start = STARTS[i % STARTS.length]!;
    const talk = [...opening(pair, "00"), DATA(pair, "00"), DATA(back(pair), "00")];
    const others = ["06", "09", "0c"].flatMap((service) => [
      SAY(pair, service, "00", "20"),
      SAY(back(pair), service, "03", "20"),
    ]);
    const told = DO(
      PEER,
      BULK,
      ...talk,
      ...others,
      WRITE,
      DATA(pair, "00"),
      SYNC("02", "ff"),
      WRITE,
      SYNC("05", "00"),
      WRITE,
    );
    const after = DO(
      DATA(pair, "00"),
      DATA(back(pair), "00"),
      SAY(back(pair), "06", "03", "20"),
      FIN(pair, "00"),
      FIN(back(pair), "00"),
      PEER,
      BULK,
      WRITE,
    );
    yield [start, ...told, BECOME_STANDBY, CLEAR, ...GIVE_ALL, TAKE_OVER, ...after];
    yield [
      start,
      ...DO(PEER, BULK, WRITE, ...talk, WRITE, SYNC("04", "ff"), RST(pair, "00"), WRITE),
      BECOME_STANDBY,
      CLEAR,
      ...GIVE_ALL,
    ];
    yield [
      start,
      ...told,
      BECOME_STANDBY,
      CLEAR,
      ...GIVE_ALL,
      ...DO(TIME("ff", "6f"), CONTROL("00", "ff")),
      TAKE_OVER,
      ...after,
    ];
    yield [
      start,
      ...told,
      BECOME_STANDBY,
      CLEAR,
      "04 01",
      CHANGE("10", "00", "01"),
      "06",
      "04 02",
      "04 03",
      "07 05",
      TAKE_OVER,
      ...after,
    ];
    for (const service of ["00", "06", "09", "0a", "0c"]) {
      const states = service === "00" ? TCP_STATES : OPEN_STATES;
      yield [
        "02",
        ...DO(SAY(pair, service, service === "00" ? "62" : "00", "20")),
        ...states.flatMap((state, version) => [RECORD(1, state, "05", `0${version + 1}`, "00"), "06"]),
        RECORD(2, states.at(-1)!, "05", "20", "00"),
        "06",
        RECORD(7, "00", "01", "01", "00"),
        "06",
        TAKE_OVER,
        ...DO(
          SAY(pair, service, "02", "20"),
          SAY(back(pair), service, "02", "20"),
          SAY(back(pair), service, "03", "20"),
        ),
        ...DO(PEER, BULK, WRITE),
        RECORD(4, "00", "05", "01", "00"),
        "06",
        ...DO(WRITE),
      ];
      yield [
        "42",
        ...DO(SAY(pair, service, "00", "00")),
        RECORD(5, "01", "00", "00", "00"),
        RECORD(1, states[0]!, "05", "01", "47"),
        RECORD(6, "00", "01", "01", "00"),
        "06",
        RECORD(3, "04", "05", "09", "00"),
        "06",
        TAKE_OVER,
      ];
    }
  }
}

/** The frames of a seed of packets.c, told of, taken back as a standby, and sent once more after the take-over. */
function toldSeed(seed: Uint8Array): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 1; at < seed.length; ) {
    const size = 5 + (seed[at + 3]! | (seed[at + 4]! << 8));
    frames.push(Uint8Array.of(0x0c), seed.subarray(at, at + size));
    at += size;
  }
  const taken = [...DO(WRITE), BECOME_STANDBY, CLEAR, ...GIVE_ALL, TAKE_OVER];
  return Buffer.concat([seed.subarray(0, 1), bytesOf(DO(PEER, BULK)), ...frames, bytesOf(taken), ...frames]);
}

/** The peer of a box comes, hears, acknowledges and goes, while conversations run. */
function pairs(): string[][] {
  return PAIRS.map((pair, i) => [
    STARTS[i % STARTS.length]!,
    PEER,
    BULK,
    SYN(pair, "00"),
    SYN_ACK(back(pair), "00"),
    WRITE,
    SYNC("04", "ff"),
    DATA(pair, "00"),
    SAY(pair, "06", "00", "20"),
    SAY(back(pair), "06", "03", "20"),
    WRITE,
    RST(pair, "00"),
    CONTROL("03", "01"),
    SYNC("02", "ff"),
    SYNC("03", "20"),
    SYNC("06", "01"),
    DATA(pair, "00"),
    SYNC("06", "00"),
    SYNC("07", "00"),
    DATA(pair, "00"),
  ]);
}

/** The bit of the first byte with which the core is live; the byte behind it says which MTUs the links have. */
const LIVE = 0x20;
const MTU_CHOICES = 64;
/** Interfaces of the policies, and what makes neighbours of both ends of the last packet out of one of them. */
const WAYS = 7;
const NEIGHBORS = (way: number): string => ["80", "81"].map((what) => CONTROL(what, `0${way}`)).join("");

/** The same conversation through a live core, to neighbours that become known after a while. */
function alive([start, ...rest]: readonly string[], index: number): string[] {
  const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
  const first = hex(Number.parseInt(start!, 16) | LIVE);
  const known = rest.map((operation, i) => `${operation}${i % 2 === 0 ? NEIGHBORS((index + i) % WAYS) : ""}`);
  return [first, hex(index % MTU_CHOICES), ...known];
}

const bytesOf = (operations: readonly string[]): Uint8Array =>
  Buffer.from(operations.join("").replaceAll(" ", ""), "hex");

const [target, folder] = process.argv.slice(2);
if (folder === undefined || !["packets", "records", "activate"].includes(target!))
  throw new Error("usage: tsx fuzz/core/seeds.ts packets|records|activate FOLDER");
let count = 0;
const write = (bytes: Uint8Array): void => writeFileSync(join(folder, `seed-${count++}`), bytes);
if (target === "activate") {
  for (const start of [0, 1, 2, 3, 0x80, 0x81, 0x82, 0x83]) write(Uint8Array.from([start]));
} else if (target === "records") {
  for (const [i, operations] of [...syncSeeds()].entries()) {
    write(bytesOf(operations));
    write(bytesOf(alive(operations, i)));
  }
  for await (const seed of captureSeeds(FRAMES_TOLD)) write(toldSeed(seed));
} else {
  for (const [i, records] of [...conversations(), ...pairs()].entries()) {
    write(bytesOf(records));
    write(bytesOf(alive(records, i)));
  }
  for await (const seed of captureSeeds(FRAMES_PER_SEED)) write(seed);
}
