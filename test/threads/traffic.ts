/** TCP conversations of hosts inside with a server outside, as frames for a box. */
import * as L from "../../assembly/layout.js";
import { PcapWriter } from "../../src/capture/index.js";
import type { BatchWriter, Verdicts } from "../../src/pair/batch-slot.js";
import { ethernet, FLAG, ipv4, tcp } from "../support/frames.js";

/** Numbers of the interfaces of test/threads/configs.ts. */
const INSIDE_NUMBER = 1;
const OUTSIDE_NUMBER = 2;
const SERVER = 0xc6120909;
const SERVER_PORT = 443;
const CLIENT_NET = 0x0a000200;
const CLIENT_SEQ = 1000;
const SERVER_SEQ = 9000;
const PAYLOAD = new Uint8Array(100);

const LINK_ETHERNET = 1;
/** Between two packets of a capture. */
export const STEP_MS = 5;

/** A frame and the interface that it comes in by. */
export interface Traffic {
  readonly frame: Uint8Array;
  readonly ingress: number;
  readonly cookie: number;
}

export type Step = "syn" | "synAck" | "ack" | "request" | "reply";
export const OPENING: readonly Step[] = ["syn", "synAck", "ack"];

/** What each step says: by whom, and how far both have come by then. */
const STEPS: Readonly<Record<Step, { flags: number; fromServer?: true; sent: number; heard: number }>> = {
  syn: { flags: FLAG.syn, sent: 0, heard: 0 },
  synAck: { flags: FLAG.syn | FLAG.ack, fromServer: true, sent: 0, heard: 1 },
  ack: { flags: FLAG.ack, sent: 1, heard: 1 },
  request: { flags: FLAG.ack | FLAG.psh, sent: 1, heard: 1 },
  reply: { flags: FLAG.ack | FLAG.psh, fromServer: true, sent: 1, heard: 1 },
};

/** The same request and reply may come again and again: a retransmission belongs to its session, too. */
export function trafficOf(flow: number, step: Step): Traffic {
  const { flags, fromServer, sent, heard } = STEPS[step];
  const client = CLIENT_NET + flow;
  const clientPort = 20_000 + (flow % 40_000);
  const [own, other] = fromServer ? [SERVER_SEQ, CLIENT_SEQ] : [CLIENT_SEQ, SERVER_SEQ];
  const segment = tcp({
    sourcePort: fromServer ? SERVER_PORT : clientPort,
    destinationPort: fromServer ? clientPort : SERVER_PORT,
    seq: own + sent,
    ack: (flags & FLAG.ack) === 0 ? 0 : other + heard,
    flags,
    payload: (flags & FLAG.psh) === 0 ? undefined : PAYLOAD,
  });
  const ends = fromServer ? { source: SERVER, destination: client } : { source: client, destination: SERVER };
  return {
    frame: ethernet(ipv4(ends, segment)),
    ingress: fromServer ? OUTSIDE_NUMBER : INSIDE_NUMBER,
    cookie: flow,
  };
}

export function put(batch: BatchWriter, { frame, ingress, cookie }: Traffic): boolean {
  return batch.add(frame, 0, frame.length, frame.length, ingress, 0, L.DF_IDS, cookie);
}

export interface Decided {
  readonly cookie: number;
  readonly hasPassed: boolean;
  readonly reason: number;
  readonly isDeferred: boolean;
  readonly session: bigint;
}

export function decidedOf(verdicts: Verdicts): Decided[] {
  return Array.from({ length: verdicts.outputs }, (_, i) => ({
    cookie: verdicts.cookie(i),
    hasPassed: verdicts.verdictCode(i) === L.VERDICT_PASS,
    reason: verdicts.reasonCode(i),
    isDeferred: verdicts.isDeferred(i),
    session: verdicts.session(i),
  }));
}

/** A capture in which all flows are opened, and then say something now and then: ten packets each. */
export function captureOfFlows(flows: number): { bytes: Uint8Array; packets: number } {
  const writer = new PcapWriter({ linkType: LINK_ETHERNET });
  let packets = 0;
  const write = (flow: number, step: Step): void => {
    const atMs = packets++ * STEP_MS;
    const time = { timeSeconds: 1000 + Math.floor(atMs / 1000), timeNanos: (atMs % 1000) * 1e6 };
    const data = trafficOf(flow, step).frame;
    writer.write({ interfaceIndex: 0, ...time, data, wireLength: data.length });
  };
  for (const step of OPENING) for (let flow = 0; flow < flows; flow++) write(flow, step);
  for (let i = 0; i < 7 * flows; i++) write(i % flows, i % 2 === 0 ? "request" : "reply");
  return { bytes: writer.drain(), packets };
}
