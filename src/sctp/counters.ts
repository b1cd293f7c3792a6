/**
 * What an endpoint counts. A refusal is something that a peer, an attacker or the application got wrong, or a bound
 * that was reached; an event is something that went as it should. Names are stable: reports and JSON use them.
 */

/** One reason, one counter. The order is that of the checks. */
export const REFUSALS = [
  // In UDP where they must not be, or over IP where they must be in UDP.
  "encapsulation",
  // Packets that are no packets (section 3, 6.8).
  "packet_short",
  "packet_long",
  "checksum",
  "chunk_length",
  "chunk_count",
  "chunk_contents",
  "chunk_not_alone",
  // Packets of others (sections 8.4, 8.5).
  "port",
  "address_remote",
  "address_local",
  "verification_tag",
  "out_of_the_blue",
  // More answers to packets without an association than one may cause.
  "answer_rate",
  // Setup (section 5).
  "init_invalid",
  "init_unwelcome",
  "address_unknown",
  "cookie_forged",
  "cookie_stale",
  "cookie_replayed",
  "cookie_mismatch",
  // Chunks (sections 3.2, 4).
  "chunk_unknown",
  "parameter_unknown",
  "chunk_unexpected",
  // User data (sections 6.2, 6.5, 6.9).
  "data_empty",
  "data_stream",
  "data_duplicate",
  "data_beyond_window",
  "data_window_full",
  "data_blocks_full",
  "data_fragment",
  "data_message_long",
  "data_ssn",
  // Acknowledgements, those in a SHUTDOWN included (sections 6.2.1, 8.3, 9.2).
  "sack_old",
  "sack_invalid",
  "heartbeat_invalid",
  // The application.
  "send_not_connected",
  "send_stream",
  "send_empty",
  "send_long",
  "send_full",
  "consumed_excess",
] as const;
export type Refusal = (typeof REFUSALS)[number];

export const EVENTS = [
  "packets_received",
  "packets_sent",
  "bytes_received",
  "bytes_sent",
  "messages_queued",
  "messages_received",
  "data_sent",
  "data_received",
  "data_retransmitted_timeout",
  "data_retransmitted_fast",
  // What was sent again was reported missing too; and in a tail loss probe.
  "data_retransmitted_again",
  "data_retransmitted_probe",
  "sacks_sent",
  "sacks_received",
  "heartbeats_sent",
  "heartbeats_unanswered",
  "inits_sent",
  "cookies_minted",
  "associations",
  "restarts",
  "collisions",
  "cookies_late",
  "cookies_duplicate",
  "path_failures",
  "errors_received",
  "aborts_sent",
  "aborts_received",
] as const;
export type CountedEvent = (typeof EVENTS)[number];

export type Counter = Refusal | CountedEvent;
export type Counters = Record<Counter, number>;

export function newCounters(): Counters {
  return Object.fromEntries([...REFUSALS, ...EVENTS].map((name) => [name, 0])) as Counters;
}
