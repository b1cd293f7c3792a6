/** What is asked of one firewall: rates, sessions, throughput of TCP, connections, latency. */
import { churn, probe } from "../../test/live/traffic.js";
import { ECHO, HOST_CPU, OUTSIDE, type Bed, type Rate, finish } from "./bed.js";
import { LIST_LINES, type Contender, type Policy, type Running } from "./contender.js";
import type { Question, Results } from "./report.js";

export interface Effort {
  readonly rounds: number;
  /** Of a measurement. */
  readonly seconds: number;
}

const FLOWS = [1, 10_000, 1_000_000];
/** Of which half is the load for the latency. */
const LOAD_FLOWS = 10_000;
/** Round trips under load come every so often. */
const PROBE_INTERVAL_US = 500;
const IPERF_PORT = 5201;

const rateOf = (flows: number, policy: Policy): Question => ({
  name: policy === "list" || policy === "set" ? `pps/${flows}/${policy}-${LIST_LINES}` : `pps/${flows}`,
  unit: "packets/s",
});
const sessionsOf = (policy: Policy): Question => ({
  name: policy === "list" || policy === "set" ? `sessions/${policy}-${LIST_LINES}` : "sessions",
  unit: "sessions/s",
});
export const TCP: Question = { name: "tcp/offloads-off", unit: "Gbit/s" };
export const TCP_SEGMENTS: Question = { name: "tcp/segments-64k", unit: "Gbit/s" };
const CONNECTIONS: Question = { name: "connections", unit: "connections/s" };
const LATENCY_P50: Question = { name: "latency/half-load/p50", unit: "us", isLessBetter: true };
const LATENCY_P99: Question = { name: "latency/half-load/p99", unit: "us", isLessBetter: true };

const QUESTIONS: readonly Question[] = [
  ...FLOWS.map((flows) => rateOf(flows, "stateful")),
  rateOf(LOAD_FLOWS, "list"),
  rateOf(LOAD_FLOWS, "set"),
  ...(["stateful", "list", "set"] as const).map(sessionsOf),
  TCP,
  TCP_SEGMENTS,
  CONNECTIONS,
  LATENCY_P50,
  LATENCY_P99,
];
export const SINGLE_NAMES = QUESTIONS.map(({ name }) => name);

/** Asks a contender everything once. */
export async function askSingle(
  bed: Bed,
  contender: Contender,
  wanted: (name: string) => boolean,
  results: Results,
  { seconds }: Effort,
): Promise<void> {
  const add = (question: Question, value: number, ...notes: readonly (string | undefined)[]) =>
    results.add(question, contender.name, value, ...notes);
  const addRate = (question: Question, { received, limit }: Rate, running: Running) =>
    add(question, received, `limited by the ${limit}`, running.note);

  for (const policy of contender.policies) {
    const isLong = policy === "list" || policy === "set";
    const flows = (isLong ? [LOAD_FLOWS] : FLOWS).filter((each) => wanted(rateOf(each, policy).name));
    const isNewWanted = policy !== "none" && wanted(sessionsOf(policy).name);
    const isTcpWanted = !isLong && wanted(TCP.name);
    const isSegmentsWanted = !isLong && wanted(TCP_SEGMENTS.name) && contender.noSegments === undefined;
    const isConnectionsWanted = !isLong && wanted(CONNECTIONS.name);
    const isLatencyWanted = !isLong && (wanted(LATENCY_P50.name) || wanted(LATENCY_P99.name));
    const isFlooded = flows.length > 0 || isNewWanted || isLatencyWanted;
    if (!(isFlooded || isTcpWanted || isSegmentsWanted || isConnectionsWanted)) continue;

    bed.lab.setOffloads(false);
    bed.steerFirewall(contender.receivesOn === "own");
    const running = await contender.start(bed, policy);
    try {
      await bed.untilForwarding();
      bed.steerHosts(true);
      if (isTcpWanted) add(TCP, await throughput(bed, seconds), running.note);
      if (isConnectionsWanted) add(CONNECTIONS, await connections(bed, seconds));
      bed.steerHosts(false);
      for (const each of flows) addRate(rateOf(each, policy), await bed.rate(each, seconds), running);
      if (isNewWanted) addRate(sessionsOf(policy), await bed.newSessions(seconds), running);
      if (isLatencyWanted) {
        const { p50, p99, load } = await latency(bed, seconds);
        const note = `beside ${Math.round(load / 1000)} thousand packets/s`;
        add(LATENCY_P50, p50, note);
        add(LATENCY_P99, p99, note);
      }
    } finally {
      await running.stop();
    }
    if (!isSegmentsWanted) continue;
    // Devices are opened anew, as they are then.
    bed.lab.setOffloads(true);
    const whole = await contender.start(bed, policy);
    try {
      await bed.untilForwarding();
      bed.steerHosts(true);
      add(TCP_SEGMENTS, await throughput(bed, seconds), whole.note);
    } finally {
      await whole.stop();
    }
  }
}

/** Gbit/s of one TCP connection, by iperf3, from inside to outside. Both ends share a processor: they are the limit of a fast firewall. */
async function throughput(bed: Bed, seconds: number): Promise<number> {
  const server = bed.outside.start("iperf3", ["-s", "-1", "--forceflush", "-p", String(IPERF_PORT)], {
    cpu: HOST_CPU,
  });
  try {
    await server.line((line) => line.includes("listening"));
    const client = bed.inside.start(
      "iperf3",
      ["-c", OUTSIDE.host, "-p", String(IPERF_PORT), "-t", String(seconds), "-J"],
      { cpu: HOST_CPU },
    );
    await client.ended();
    const { end, error } = JSON.parse(client.lines.join("\n"));
    if (error !== undefined) throw new Error(`iperf3: ${error}`);
    return end.sum_received.bits_per_second / 1e9;
  } finally {
    await server.kill();
  }
}

/** Connections of TCP a second, each with a message and its echo, 64 at a time. */
async function connections(bed: Bed, seconds: number): Promise<number> {
  const opener = await churn(
    bed.inside,
    OUTSIDE.host,
    ECHO.port,
    { rate: 0, parallel: 64, ports: ECHO.ports, seconds, "timeout-ms": 2000 },
    { cpu: HOST_CPU },
  );
  const { summary } = await opener.finished(seconds * 1000 + 20_000);
  if (summary.wrong > 0) throw new Error("bytes of a connection were changed");
  return summary.ok / seconds;
}

/** Round trips beside half of the packets that the firewall can do. */
async function latency(bed: Bed, seconds: number): Promise<{ p50: number; p99: number; load: number }> {
  const { received } = await bed.rate(LOAD_FLOWS, seconds);
  const load = Math.round(received / 2);
  const generator = bed.generate({ flows: LOAD_FLOWS, rate: load });
  const options = { "interval-us": PROBE_INTERVAL_US, seconds };
  const ask = await probe(bed.inside, OUTSIDE.host, ECHO.port, options, { cpu: HOST_CPU });
  try {
    const { summary } = await ask.finished(seconds * 1000 + 10_000);
    if (summary.p50Us === null) throw new Error("no answer under half load");
    return { p50: summary.p50Us, p99: summary.p99Us!, load };
  } finally {
    await finish(generator);
  }
}
