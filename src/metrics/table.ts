/** Every metric of a firewall, one row each. Names are part of the interface: dashboards use them, so they never change. */
import { STATE_NAMES as BFD_STATES } from "../bfd/index.js";
import { STATES as HSRP_STATES } from "../hsrp/table.js";
import { formatAddress } from "../ip.js";
import { reasonNamed } from "../reasons.js";
import { RF_STATE_NAMES } from "../redundancy/states.js";
import type { Labels, Metric, Sample } from "./render.js";
import type { MetricsSnapshot } from "./snapshot.js";

type Row = Metric<MetricsSnapshot>;
type Samples = Row["samples"];
type Value = number | bigint | undefined;

const SECONDS = 1 / 1000;

const one = (value: Value): Sample[] => (value === undefined ? [] : [{ value }]);

/** A sample for each of a list; those without a value are left out. */
function each<T>(
  list: Iterable<T> | undefined,
  labels: (item: T) => Labels,
  value: (item: T) => Value,
): Sample[] {
  const samples: Sample[] = [];
  for (const item of list ?? []) {
    const found = value(item);
    if (found !== undefined) samples.push({ labels: labels(item), value: found });
  }
  return samples;
}

/** A sample for each name of a record. */
function byName(record: Readonly<Record<string, number>> | undefined, label: string): Sample[] {
  return Object.entries(record ?? {}).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

/** 1 for the state that something is in, 0 for every other. */
function stateSet(states: readonly string[], state: string | undefined, labels: Labels = {}): Sample[] {
  if (state === undefined) return [];
  return states.map((name) => ({ labels: { ...labels, state: name }, value: name === state ? 1 : 0 }));
}

const counter = (name: string, help: string, samples: Samples): Row => ({
  name,
  help,
  type: "counter",
  samples,
});
const gauge = (name: string, help: string, samples: Samples): Row => ({ name, help, type: "gauge", samples });

const NODE: readonly Row[] = [
  gauge("twinwall_info", "Always 1; what runs here.", ({ version, backend }) => [
    { labels: { version, backend: backend ?? "" }, value: 1 },
  ]),
  gauge("twinwall_uptime_seconds", "Since the process started.", ({ uptimeMs }) => one(uptimeMs * SECONDS)),
];

/** Of `reasons`: what has its final verdict. */
const judged = (snapshot: MetricsSnapshot) =>
  Object.entries(snapshot.dataplane?.reasons ?? {}).filter(([reason]) => reason !== "held");
const reasonLabels = ([reason]: [string, unknown]): Labels => ({
  verdict: reasonNamed(reason).verdict,
  reason,
});

const DATAPLANE: readonly Row[] = [
  counter("twinwall_packets_total", "Packets that were decided, by verdict and reason.", (s) =>
    each(judged(s), reasonLabels, ([, { packets }]) => packets),
  ),
  counter("twinwall_bytes_total", "Bytes on the wire of packets that were decided.", (s) =>
    each(judged(s), reasonLabels, ([, { bytes }]) => bytes),
  ),
  gauge("twinwall_fragments_held", "Fragments that wait for the rest of their datagram.", (s) =>
    one(s.dataplane?.verdicts.held.packets),
  ),
  counter("twinwall_datagrams_reassembled_total", "Datagrams put together from fragments.", (s) =>
    one(s.dataplane?.datagrams),
  ),
  gauge("twinwall_sessions", "Sessions that exist.", (s) => one(s.dataplane?.sessions.current)),
  gauge("twinwall_sessions_half_open", "Sessions that are not established yet.", (s) =>
    one(s.dataplane?.sessions.halfOpen),
  ),
  gauge("twinwall_sessions_peak", "Most sessions at a time since the start.", (s) =>
    one(s.dataplane?.sessions.maximum),
  ),
  gauge("twinwall_sessions_capacity", "Sessions that the table can hold.", (s) => one(s.sessionsMax)),
  counter("twinwall_sessions_created_total", "Sessions that began, by protocol.", ({ dataplane }) => {
    if (dataplane === undefined) return [];
    const { tcp, udp, icmp, other } = dataplane.sessions;
    return byName({ tcp, udp, icmp, other }, "protocol");
  }),
  counter("twinwall_sessions_ended_total", "Sessions that ended, by cause.", ({ dataplane }) => {
    if (dataplane === undefined) return [];
    const { expired, closed, evicted, cleared, reopened } = dataplane.sessions;
    return byName({ expired, closed, evicted, cleared, reopened }, "cause");
  }),
  counter("twinwall_clock_back_total", "Calls of the core with a time before the last one.", (s) =>
    one(s.dataplane?.clockBack),
  ),
];

const device = (each: { readonly device: string }): Labels => ({ device: each.device });
const on = (each: { readonly name: string }): Labels => ({ interface: each.name });

const DEVICES: readonly Row[] = [
  counter("twinwall_device_received_packets_total", "Frames received by a device.", (s) =>
    each(s.devices, device, ({ received }) => received),
  ),
  counter("twinwall_device_sent_packets_total", "Frames sent by a device.", (s) =>
    each(s.devices, device, ({ sent }) => sent),
  ),
  counter("twinwall_device_lost_packets_total", "Frames that a device had no room for, by cause.", (s) =>
    (s.devices ?? []).flatMap(({ device: name, ringFull, noBuffer, sendRefused }) =>
      byName({ ring_full: ringFull, no_buffer: noBuffer, send_refused: sendRefused }, "cause").map(
        ({ labels, value }) => ({ labels: { device: name, ...labels }, value }),
      ),
    ),
  ),
  gauge("twinwall_interface_up", "Whether an interface is up.", (s) =>
    each(s.interfaces, on, ({ isUp }) => (isUp ? 1 : 0)),
  ),
  gauge("twinwall_interface_mtu_bytes", "MTU of an interface.", (s) =>
    each(s.interfaces, on, ({ mtu }) => mtu),
  ),
  gauge("twinwall_interface_neighbors", "Neighbours known on an interface.", (s) =>
    each(s.interfaces, on, ({ neighbors }) => neighbors),
  ),
  counter("twinwall_router_events_total", "What the router counts on all interfaces, by its name.", (s) =>
    byName(s.router, "event"),
  ),
];

const HSRP: readonly Row[] = [
  gauge("twinwall_hsrp_state", "1 for the state that an HSRP group is in.", (s) =>
    (s.hsrp ?? []).flatMap((group) => stateSet(HSRP_STATES, group.state, hsrpLabels(group))),
  ),
  counter("twinwall_hsrp_state_changes_total", "Changes of state of an HSRP group.", (s) =>
    each(s.hsrp, hsrpLabels, ({ stateChanges }) => stateChanges),
  ),
  gauge("twinwall_hsrp_priority", "Priority of an HSRP group, tracking included.", (s) =>
    each(s.hsrp, hsrpLabels, ({ priority }) => priority),
  ),
];

function hsrpLabels(group: {
  readonly interface: string;
  readonly group: number;
  readonly family: number;
}): Labels {
  return { interface: group.interface, group: String(group.group), family: `ipv${group.family}` };
}

const bfdLabels = (session: { readonly interface: string; readonly remote: number | bigint }): Labels => ({
  interface: session.interface,
  neighbor: formatAddress(session.remote),
});

const BFD: readonly Row[] = [
  gauge("twinwall_bfd_state", "1 for the state that a BFD session is in.", (s) =>
    (s.bfd ?? []).flatMap((session) =>
      stateSet(Object.values(BFD_STATES), session.state, bfdLabels(session)),
    ),
  ),
  gauge("twinwall_bfd_detection_seconds", "Silence after which the neighbour is taken for dead.", (s) =>
    each(s.bfd, bfdLabels, ({ detectionMs }) => detectionMs * SECONDS),
  ),
  counter("twinwall_bfd_sent_packets_total", "BFD packets sent.", (s) =>
    each(s.bfd, bfdLabels, ({ sent }) => sent),
  ),
  counter("twinwall_bfd_received_packets_total", "BFD packets taken.", (s) =>
    each(s.bfd, bfdLabels, ({ received }) => received),
  ),
  counter("twinwall_bfd_ups_total", "Times that a BFD session came up.", (s) =>
    each(s.bfd, bfdLabels, ({ upCount }) => upCount),
  ),
];

const REDUNDANCY: readonly Row[] = [
  gauge(
    "twinwall_redundancy_state",
    "1 for the state of this box, as `show redundancy states` names it.",
    (s) => stateSet(RF_STATE_NAMES, s.redundancy?.own.state),
  ),
  gauge("twinwall_redundancy_peer_state", "1 for the state of the peer.", (s) =>
    stateSet(RF_STATE_NAMES, s.redundancy?.peer.state),
  ),
  gauge(
    "twinwall_redundancy_in_sync",
    "Whether both boxes hold the same sessions, but for what is on its way.",
    (s) => one(s.redundancy && (s.redundancy.outOfSyncReason === undefined ? 1 : 0)),
  ),
  gauge("twinwall_redundancy_generation", "Number of the last take-over.", (s) =>
    one(s.redundancy?.generation),
  ),
  counter("twinwall_redundancy_switchovers_total", "Times that this box took over.", (s) =>
    one(s.redundancy?.switchovers),
  ),
  counter("twinwall_redundancy_events_total", "What redundancy counts, by its name.", (s) =>
    byName(s.redundancy?.counters.events, "event"),
  ),
  counter("twinwall_redundancy_refused_total", "Frames of the peer that were refused, by reason.", (s) =>
    byName(s.redundancy?.counters.refused, "reason"),
  ),
];

const SYNC: readonly Row[] = [
  counter("twinwall_sync_records_sent_total", "Session records sent to the peer, by kind.", (s) =>
    byName(s.syncCounters?.sent, "kind"),
  ),
  counter("twinwall_sync_records_taken_total", "Session records taken from the peer, by kind.", (s) =>
    byName(s.syncCounters?.taken, "kind"),
  ),
  counter(
    "twinwall_sync_records_refused_total",
    "Session records of the peer that were refused, by reason.",
    (s) => byName(s.syncCounters?.refused, "reason"),
  ),
  counter("twinwall_sync_sent_bytes_total", "Bytes of session records sent.", (s) => one(s.sync?.bytesSent)),
  gauge("twinwall_sync_queued_records", "Changes of sessions that wait to be sent.", (s) =>
    one(s.sync?.queued),
  ),
  gauge("twinwall_sync_unacknowledged_bytes", "Bytes of records that the peer has not acknowledged.", (s) =>
    one(s.sync?.unacknowledgedBytes),
  ),
  gauge(
    "twinwall_sync_lag_seconds",
    "From sending a record to its acknowledgement, of the last ones.",
    ({ sync }) => {
      if (sync === undefined || sync.lag.samples === 0) return [];
      const { p50, p99, max } = sync.lag;
      return each(
        [
          ["0.5", p50],
          ["0.99", p99],
          ["1", max],
        ] as const,
        ([quantile]) => ({ quantile }),
        ([, ms]) => ms * SECONDS,
      );
    },
  ),
  counter("twinwall_sync_bulks_total", "Bulk syncs.", (s) => one(s.sync?.bulks)),
  counter("twinwall_sync_repairs_total", "Tables that differed and were made equal again.", (s) =>
    one(s.sync?.repairs),
  ),
];

const path = ({
  local,
  remote,
}: {
  readonly local: number | bigint;
  readonly remote: number | bigint;
}): Labels => ({
  local: formatAddress(local),
  remote: formatAddress(remote),
});

const SCTP: readonly Row[] = [
  gauge("twinwall_sctp_up", "Whether the association carries data.", (s) =>
    one(s.sctp && (s.sctp.isUp ? 1 : 0)),
  ),
  gauge("twinwall_sctp_queued_bytes", "Bytes that wait or are not acknowledged.", (s) =>
    one(s.sctp?.queuedBytes),
  ),
  gauge("twinwall_sctp_path_up", "Whether a path is usable.", (s) =>
    each(s.sctp?.paths, path, ({ state }) => (state === "active" ? 1 : 0)),
  ),
  gauge("twinwall_sctp_path_rtt_seconds", "Smoothed round-trip time of a path.", (s) =>
    each(s.sctp?.paths, path, ({ srttMs }) => (srttMs === undefined ? undefined : srttMs * SECONDS)),
  ),
  counter("twinwall_sctp_events_total", "What the association counts, refusals included, by its name.", (s) =>
    byName(s.sctp?.counters, "event"),
  ),
];

const thread = ({ name }: { readonly name: string }): Labels => ({ thread: name });
const destination = ({ name }: { readonly name: string }): Labels => ({ destination: name });

const PROCESS: readonly Row[] = [
  gauge("twinwall_thread_up", "Whether a thread answered in time.", (s) =>
    each(s.threads, thread, ({ answerMs }) => (answerMs === undefined ? 0 : 1)),
  ),
  gauge("twinwall_thread_answer_seconds", "How long a thread took to answer: how late its loop was.", (s) =>
    each(s.threads, thread, ({ answerMs }) => answerMs && answerMs * SECONDS),
  ),
  counter("twinwall_thread_refused_messages_total", "Messages of a thread that found no room.", (s) =>
    each(s.threads, thread, ({ refusedMessages }) => refusedMessages),
  ),
  counter(
    "twinwall_log_records_total",
    "Log records, those that were suppressed included, by severity.",
    (s) =>
      each(
        s.log?.logger.records.entries(),
        ([severity]) => ({ severity: String(severity) }),
        ([, count]) => count,
      ),
  ),
  counter("twinwall_log_suppressed_total", "Log records that the rate limit suppressed.", (s) =>
    one(s.log?.logger.suppressed),
  ),
  gauge("twinwall_log_up", "Whether a destination of the log takes lines.", (s) =>
    each(s.log?.destinations, destination, ({ status }) => (status === "open" ? 1 : 0)),
  ),
  counter("twinwall_log_sent_lines_total", "Lines that a destination has taken.", (s) =>
    each(s.log?.destinations, destination, ({ sentLines }) => sentLines),
  ),
  counter("twinwall_log_lost_lines_total", "Lines that found the queue of a destination full.", (s) =>
    each(s.log?.destinations, destination, ({ lostLines }) => lostLines),
  ),
  gauge("twinwall_log_queued_bytes", "Bytes that wait for a destination.", (s) =>
    each(s.log?.destinations, destination, ({ queuedBytes }) => queuedBytes),
  ),
  counter("twinwall_events_lost_total", "Events of packets and sessions that never reached the log.", (s) =>
    one(s.eventsLost),
  ),
];

export const METRICS: readonly Row[] = [
  ...NODE,
  ...DATAPLANE,
  ...DEVICES,
  ...HSRP,
  ...BFD,
  ...REDUNDANCY,
  ...SYNC,
  ...SCTP,
  ...PROCESS,
];
