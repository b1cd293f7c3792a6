/** Syslog against receivers that others wrote: rsyslog, and Wireshark's dissector. */
import { createSocket } from "node:dgram";
import { readFileSync, existsSync } from "node:fs";
import { createServer } from "node:net";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { PcapngWriter } from "../../src/capture/index.js";
import { ethernetFrame, ipPacket, udpDatagram } from "../../src/frame.js";
import { logRecord, syslogMessage } from "../../src/log/index.js";
import { lacking, run, scratchFolder } from "../capture/tools.js";
import { type LiveLog, Program, startLogging, until } from "./live.js";
import { HOSTILE_RECORD, record, TIME } from "./records.js";

const folder = scratchFolder();
const cleanup: (() => unknown)[] = [];
afterAll(async () => {
  for (const step of cleanup.reverse()) await step();
  folder.remove();
});

const SENDER = {
  facility: 20,
  hostname: "fw1",
  version: "0.1.0",
  processId: 42,
  address: "10.0.0.1",
} as const;

/** A port of the loopback address that nobody listens to. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** A CA, and a certificate of it for a name or an address, as PEM files. */
function makeCertificates(ca: string, name: string, alternative: string): void {
  const openssl = (...words: string[]) => {
    const { status } = run("openssl", ...words);
    if (status !== 0) throw new Error(`openssl ${words[0]} failed`);
  };
  const path = (suffix: string) => folder.path(`${name}.${suffix}`);
  const [caCert, caKey] = [folder.path(`${ca}.crt`), folder.path(`${ca}.key`)];
  if (!existsSync(caCert)) {
    openssl(
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", `/CN=${ca}`, "-keyout", caKey, "-out", caCert],
    );
  }
  openssl(
    ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`],
    ...["-keyout", path("key"), "-out", path("csr")],
  );
  folder.write(`${name}.ext`, new TextEncoder().encode(`subjectAltName=${alternative}\n`));
  openssl(
    ...["x509", "-req", "-in", path("csr"), "-CA", caCert, "-CAkey", caKey, "-CAcreateserial", "-days", "2"],
    ...["-extfile", path("ext"), "-out", path("crt")],
  );
}

const pem = (name: string): string => readFileSync(folder.path(name), "utf8");

/** What rsyslog has understood of a message. */
interface Understood {
  pri: string;
  host: string;
  app: string;
  proc: string;
  id: string;
  time: string;
  data: string;
  text: string;
}

/** rsyslog with one input; messages that it has read stand in a file, one JSON object a line. */
class Receiver {
  readonly #name: string;
  readonly #words: string[];
  #program: Program | undefined;

  constructor(name: string, input: string, modules: string) {
    this.#name = name;
    const fields = [
      ["pri", "pri"],
      ["host", "hostname"],
      ["app", "app-name"],
      ["proc", "procid"],
      ["id", "msgid"],
      ["time", "timereported:::date-rfc3339"],
      ["data", "structured-data"],
      ["text", "msg"],
    ] as const;
    const template = fields.map(([name, property]) => {
      const [of, , , option] = property.split(":");
      const date = option === undefined ? "" : ' dateFormat="rfc3339"';
      return `  property(outname="${name}" name="${of}" format="jsonf"${date})\n`;
    });
    const separated = template.join('  constant(value=",")\n');
    const config = `
global(workDirectory="${folder.path("")}" maxMessageSize="64k")
${modules}
template(name="json" type="list") {
  constant(value="{")
${separated}  constant(value="}\\n")
}
ruleset(name="all") { action(type="omfile" file="${this.path}" template="json") }
${input}
`;
    const file = folder.write(`${name}.conf`, new TextEncoder().encode(config));
    this.#words = ["-n", "-f", file, "-i", folder.path(`${name}.pid`)];
  }

  get path(): string {
    return folder.path(`${this.#name}.out`);
  }

  start(): void {
    const program = new Program("rsyslogd", this.#words);
    this.#program = program;
    cleanup.push(() => program.end("SIGKILL"));
  }

  async stop(): Promise<void> {
    await this.#program?.end();
  }

  read(): Understood[] {
    if (!existsSync(this.path)) return [];
    const lines = readFileSync(this.path, "utf8").split("\n");
    // The last one may not be finished yet.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Understood);
  }

  async waitFor(count: number): Promise<Understood[]> {
    await until(`${count} messages, output ${this.#program?.output}`, () => this.read().length >= count);
    return this.read();
  }
}

function logTo(line: string, options: Parameters<typeof startLogging>[1] = {}): LiveLog {
  const live = startLogging(
    `hostname fw1\nlogging trap debugging\nlogging facility local4\n${line}\n`,
    options,
  );
  cleanup.push(() => live.logging.close());
  return live;
}

const noRsyslog = lacking("rsyslogd", "openssl");

describe.skipIf(noRsyslog)("rsyslog", () => {
  test("understands what comes by UDP", async () => {
    const port = await freePort();
    const receiver = new Receiver(
      "udp",
      `input(type="imudp" address="127.0.0.1" port="${port}" ruleset="all")`,
      'module(load="imudp")',
    );
    receiver.start();
    const { logging } = logTo(`logging host 127.0.0.1 transport udp port ${port}`);
    // Datagrams before it listens are refused or lost.
    await until("the first datagram", () => {
      logging.write("%SYS-6-TRY: x");
      return receiver.read().length > 0;
    });
    logging.log(
      logRecord("%HSRP-5-STATECHANGE: é", TIME, { fields: { interface: 'a"]\\b', session: "1A" } }),
    );
    await until("the message", () => receiver.read().some(({ id }) => id === "HSRP-STATECHANGE"));
    const got = receiver.read().find(({ id }) => id === "HSRP-STATECHANGE")!;
    expect(got).toMatchObject({
      pri: String(20 * 8 + 5),
      host: "fw1",
      app: "twinwall",
      proc: "4711",
      time: "2024-03-01T08:05:09.007Z",
    });
    expect(got.text.replace(/^\ufeff/, "")).toBe("%HSRP-5-STATECHANGE: é");
    expect(got.data).toMatch(
      /^\[meta sequenceId="\d+" sysUpTime="6543"\]\[origin software="twinwall" swVersion="1\.2\.3"\]/,
    );
    expect(got.data).toContain('[twinwall@32473 session="1A" interface="a\\"\\]\\\\b"]');
  });

  test.each(["octet-counting", "newline"] as const)(
    "tells messages in a TCP connection apart, hostile ones too: %s",
    async (tcpFraming) => {
      const port = await freePort();
      const receiver = new Receiver(
        `tcp-${tcpFraming}`,
        `input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="all")`,
        'module(load="imtcp")',
      );
      receiver.start();
      const { logging } = logTo(`logging host 127.0.0.1 transport tcp port ${port}`, { tcpFraming });
      const records = fc.sample(HOSTILE_RECORD, { numRuns: 300, seed: 1 });
      for (const each of records) logging.log(each);
      const got = await receiver.waitFor(records.length);
      expect(got).toHaveLength(records.length);
      for (const [i, each] of records.entries()) {
        expect(got[i]).toMatchObject({
          host: "fw1",
          app: "twinwall",
          id: `${each.facility}-${each.mnemonic}`,
        });
        // The receiver shows marks and spaces at the ends as it likes.
        const tidy = (text: string) => text.replaceAll("\ufeff", "").trim();
        expect(tidy(got[i]!.text)).toBe(tidy(each.text));
      }
    },
    60_000,
  );

  test("TLS: the certificate is verified, and lines of an outage come after it, in order", async () => {
    makeCertificates("ca", "server", "IP:127.0.0.1");
    const port = await freePort();
    const receiver = new Receiver(
      "tls",
      `input(type="imtcp" address="127.0.0.1" port="${port}" ruleset="all")`,
      `global(defaultNetstreamDriver="gtls" defaultNetstreamDriverCAFile="${folder.path("ca.crt")}"
  defaultNetstreamDriverCertFile="${folder.path("server.crt")}" defaultNetstreamDriverKeyFile="${folder.path("server.key")}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")`,
    );
    receiver.start();
    const { logging, terminal } = logTo(`logging host 127.0.0.1 transport tls port ${port}`, {
      hosts: { ca: pem("ca.crt") },
    });
    for (let i = 0; i < 20; i++) logging.log(record(`%A-5-COUNT: ${i}`));
    await receiver.waitFor(20);
    await receiver.stop();
    await until("the outage is noticed", () => terminal().includes("%SYS-3-LOGGINGHOST_FAIL"));
    for (let i = 20; i < 40; i++) logging.log(record(`%A-5-COUNT: ${i}`));
    receiver.start();
    await until("the end of the outage", () => terminal().includes("%SYS-6-LOGGINGHOST_STARTSTOP"));
    await until("the last line", () => receiver.read().some(({ text }) => text.trim() === "%A-5-COUNT: 39"));
    const counts = receiver
      .read()
      .flatMap(({ id, text }) => (id === "A-COUNT" ? [Number(text.trim().slice(12))] : []));
    expect(counts).toEqual(Array.from({ length: 40 }, (_, i) => i));
    // Both notes about the host have reached it, too.
    expect(receiver.read().map(({ id }) => id)).toEqual(
      expect.arrayContaining(["SYS-LOGGINGHOST_FAIL", "SYS-LOGGINGHOST_STARTSTOP"]),
    );
  }, 60_000);

  test.each([
    ["of another CA", "ca2.crt", "127.0.0.1", "IP:127.0.0.1", undefined],
    ["of another host", "ca.crt", "127.0.0.1", "IP:192.0.2.1", undefined],
    ["of another name", "ca.crt", "127.0.0.1", "DNS:logs.example", "other.example"],
  ] as const)("TLS refuses a certificate %s", async (title, ca, address, alternative, serverName) => {
    const name = `bad-${title.replaceAll(" ", "-")}`;
    makeCertificates("ca", name, alternative);
    makeCertificates("ca2", "unused", "IP:127.0.0.1");
    const port = await freePort();
    const server = new Program("openssl", [
      ...["s_server", "-accept", `127.0.0.1:${port}`, "-quiet"],
      ...["-cert", folder.path(`${name}.crt`), "-key", folder.path(`${name}.key`)],
    ]);
    cleanup.push(() => server.end("SIGKILL"));
    const { logging, terminal } = logTo(`logging host ${address} transport tls port ${port}`, {
      hosts: { ca: pem(ca), ...(serverName !== undefined && { serverName }) },
    });
    logging.log(record("%A-5-SECRET: x"));
    const problem = () =>
      logging.view().destinations.find(({ name: each }) => each.startsWith("host"))!.problem;
    await until("a refusal", () => /certif|altnames/i.test(problem() ?? ""));
    expect(terminal()).toContain("%SYS-3-LOGGINGHOST_FAIL");
    expect(server.output).not.toContain("SECRET");
  });

  test("TLS accepts the name that was given for an address", async () => {
    makeCertificates("ca", "named", "DNS:logs.example");
    const port = await freePort();
    const server = new Program("openssl", [
      ...["s_server", "-accept", `127.0.0.1:${port}`, "-quiet"],
      ...["-cert", folder.path("named.crt"), "-key", folder.path("named.key")],
    ]);
    cleanup.push(() => server.end("SIGKILL"));
    const { logging } = logTo(`logging host 127.0.0.1 transport tls port ${port}`, {
      hosts: { ca: pem("ca.crt"), serverName: "logs.example" },
    });
    logging.log(record("%A-5-OPEN: x"));
    await until("the message", () => server.output.includes("%A-5-OPEN: x"));
  });
});

describe.skipIf(lacking("tshark"))("Wireshark", () => {
  test("dissects datagrams", () => {
    const writer = new PcapngWriter();
    writer.addInterface({ linkType: 1, snapLength: 0 });
    const records = [
      record("%HSRP-5-STATECHANGE: x"),
      logRecord("%FW-6-DROP_PKT: y", TIME, { fields: { session: "1A", rule: "L 10" } }),
    ];
    for (const [i, each] of records.entries()) {
      const header = { source: 0x0a000001, destination: 0x0a000002, protocol: 17, ttl: 64 };
      const datagram = udpDatagram(
        header,
        { source: 40000, destination: 514 },
        syslogMessage(each, SENDER, i + 1, 2048),
      );
      const data = ethernetFrame("0200.0000.0002", "0200.0000.0001", 0x0800, ipPacket(header, datagram));
      writer.write({ interfaceIndex: 0, timeSeconds: 0, timeNanos: 0, data, wireLength: data.length });
    }
    const file = folder.write("syslog.pcapng", writer.drain());
    const names = ["facility", "level", "hostname", "appname", "procid", "msgid", "timestamp", "msg"];
    const fields = names.flatMap((name) => ["-e", `syslog.${name}`]);
    const { stdout } = run(
      "tshark",
      "-r",
      file,
      "-T",
      "fields",
      "-E",
      "separator=|",
      ...fields,
      "-e",
      "_ws.malformed",
    );
    const rows = stdout
      .trimEnd()
      .split("\n")
      .map((line) => line.split("|"));
    // Some versions take everything behind the process id for the message id.
    expect(rows.map((row) => [...row.slice(0, 5), row[5]!.split(" ")[0]])).toEqual([
      ["20", "5", "fw1", "twinwall", "42", "HSRP-STATECHANGE"],
      ["20", "6", "fw1", "twinwall", "42", "FW-DROP_PKT"],
    ]);
    for (const [i, row] of rows.entries()) {
      expect(row.slice(5).join("|")).toContain(records[i]!.text);
      expect(row.at(-1)).toBe("");
    }
  });
});

test("a host that refuses datagrams is found out, and gets what waits when it is back", async () => {
  const port = await freePort();
  const { logging, terminal } = logTo(`logging host 127.0.0.1 transport udp port ${port}`);
  await until("a refusal", () => {
    logging.log(record("%A-5-LOST: x"));
    return terminal().includes("LOGGINGHOST_FAIL");
  });
  logging.log(record("%A-5-KEPT: x"));
  const got: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message) => got.push(message.toString()));
  await new Promise<void>((resolve) => socket.bind(port, "127.0.0.1", () => resolve()));
  cleanup.push(() => void socket.close());
  await until("what waited", () => got.some((message) => message.includes("%A-5-KEPT: x")));
});

test("a host that takes nothing costs bounded memory, and its loss is counted", async () => {
  const server = createServer((socket) => socket.pause()).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanup.push(() => void server.close());
  const { port } = server.address() as { port: number };
  const { logging, terminal } = logTo(
    `logging rate-limit 10000\nlogging host 127.0.0.1 transport tcp port ${port}`,
  );
  const view = () => logging.view().destinations.find(({ name }) => name.startsWith("host"))!;
  await until("a connection", () => view().status === "open");
  const long = "x".repeat(900);
  for (let i = 0; i < 20_000 && view().lostLines === 0; i++) {
    // Critical lines have no rate limit.
    logging.log(record(`%A-2-FLOOD: ${i} ${long}`));
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(view().lostLines).toBe(1);
  expect(view().queuedBytes).toBeLessThanOrEqual(1024 * 1024);
  await until("the announcement", () => terminal().includes("%SYS-4-LOGQUEUE"));
});
