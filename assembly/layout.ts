/**
 * The memory of one firewall instance: every region, record offset, code and limit, once. The core (AssemblyScript)
 * and the host (TypeScript) read this file; it holds plain integer constants only, so that both compilers accept it.
 *
 *   0            static data of the compiler (transition tables), read only
 *   STATE_AT     clock, cursors, seeds, list heads, counters; and where the sized regions lie
 *   ...          sized regions, one after the other (src/core.ts computes them from the capacity):
 *                timeouts | tags | overflow | hot | cold | fragments | held frames | events | policy banks | rule hits |
 *                descriptors | meta | sync out | sync in | sync replies | live | neighbours | frame bytes | buffers
 *
 * Everything that a packet can change lies here, none of it in module variables: a snapshot is a copy. What lies behind
 * the policy banks and their hits belongs to a call, or (live, neighbours) to the machine: no snapshot takes it along.
 */

/** Raised with every change of this file; the host refuses a core of another layout. */
export const LAYOUT_VERSION = 4;

// ---------------------------------------------------------------------------------------------- state (fixed address)

export const STATE_AT = 0x10000;
export const STATE_MAGIC = 0x6c777774; // "twwl"

export const S_MAGIC = 0; // u32
export const S_LAYOUT = S_MAGIC + 4; // u32
/** Capacity: sessions that may exist at a time. */
export const S_SESSIONS_MAX = S_LAYOUT + 4; // u32
/** Groups of GROUP_SLOTS slots. */
export const S_GROUPS = S_SESSIONS_MAX + 4; // u32
export const S_BATCH_MAX = S_GROUPS + 4; // u32
export const S_HELD_MAX = S_BATCH_MAX + 4; // u32: frames that may wait for the rest of their datagram
export const S_EVENTS_MAX = S_HELD_MAX + 4; // u32
export const S_RULES_MAX = S_EVENTS_MAX + 4; // u32
export const S_BANK_SIZE = S_RULES_MAX + 4; // u32: bytes of one policy bank
/** Addresses of the sized regions. */
export const S_TIMEOUTS_AT = S_BANK_SIZE + 4; // u32
export const S_TAGS_AT = S_TIMEOUTS_AT + 4; // u32
export const S_OVERFLOW_AT = S_TAGS_AT + 4; // u32
export const S_HOT_AT = S_OVERFLOW_AT + 4; // u32
export const S_COLD_AT = S_HOT_AT + 4; // u32
export const S_FRAGMENTS_AT = S_COLD_AT + 4; // u32
export const S_HELD_AT = S_FRAGMENTS_AT + 4; // u32
export const S_EVENTS_AT = S_HELD_AT + 4; // u32
export const S_BANKS_AT = S_EVENTS_AT + 4; // u32
export const S_HITS_AT = S_BANKS_AT + 4; // u32
export const S_DESCRIPTORS_AT = S_HITS_AT + 4; // u32
export const S_META_AT = S_DESCRIPTORS_AT + 4; // u32
export const S_SYNC_OUT_AT = S_META_AT + 4; // u32
export const S_SYNC_IN_AT = S_SYNC_OUT_AT + 4; // u32
export const S_SYNC_REPLY_AT = S_SYNC_IN_AT + 4; // u32
export const S_LIVE_AT = S_SYNC_REPLY_AT + 4; // u32
export const S_NEIGHBORS_AT = S_LIVE_AT + 4; // u32
export const S_BYTES_AT = S_NEIGHBORS_AT + 4; // u32
export const S_BYTES_SIZE = S_BYTES_AT + 4; // u32
export const S_BUFFERS_AT = S_BYTES_SIZE + 4; // u32
export const S_MEMORY_SIZE = S_BUFFERS_AT + 4; // u32, saturated
/** The keys of the hashes: eight random u64, written by the host before the first packet. */
export const S_SEEDS = 0x80; // u64[8]
export const SEEDS = 8;
/** Milliseconds since the host's epoch; never falls. */
export const S_NOW_MS = S_SEEDS + SEEDS * 8; // u64
/** When the running sweep began; bounds how old an unvisited entry may be. */
export const S_SWEEP_SINCE_MS = S_NOW_MS + 8; // u64
/** Sessions ever created; the id of the newest. */
export const S_LAST_SESSION_ID = S_SWEEP_SINCE_MS + 8; // u64
/** 0: no policy, every packet is dropped; else 1 + the bank in force. */
export const S_ACTIVE_BANK = S_LAST_SESSION_ID + 8; // u32
export const S_SESSIONS = S_ACTIVE_BANK + 4; // u32: sessions that exist now
export const S_HALF_OPEN = S_SESSIONS + 4; // u32
export const S_HALF_OPEN_OLDEST = S_HALF_OPEN + 4; // u32: slot + 1, 0 none
export const S_HALF_OPEN_NEWEST = S_HALF_OPEN_OLDEST + 4; // u32
export const S_SWEEP_GROUP = S_HALF_OPEN_NEWEST + 4; // u32: next group that the sweep visits
export const S_HELD_FREE = S_SWEEP_GROUP + 4; // u32: free list of held frames, index + 1
export const S_HELD_RELEASED = S_HELD_FREE + 4; // u32: frames lent to the host by the last call, index + 1
export const S_HELD_IN_USE = S_HELD_RELEASED + 4; // u32: frames that wait
/** Records of datagrams in use, and when the oldest of them is due (low half of the clock). */
export const S_DATAGRAMS = S_HELD_IN_USE + 4; // u32
export const S_DATAGRAM_DUE_MS = S_DATAGRAMS + 4; // u32
export const S_EVENTS_WRITTEN = S_DATAGRAM_DUE_MS + 4; // u32: events of this call
export const S_OUTPUTS = S_EVENTS_WRITTEN + 4; // u32: descriptors with a verdict after the last call
/** Bit i: time range i of the policy holds now. */
export const S_TIME_RANGES = S_OUTPUTS + 8; // u64
export const TIME_RANGES_MAX = 64;
/** Steps of the last traced packet (DF_TRACE): TRACE_MAX records of a TR_* code and a value. */
export const S_TRACE_LENGTH = S_TIME_RANGES + 8; // u32
export const S_TRACE = 0x200; // (u32 step, u32 value)[TRACE_MAX]
export const TRACE_MAX = 32;
/** Counters: one pair (packets, bytes) for each reason, then single u64 for each counter of COUNTERS. */
export const S_REASON_COUNTERS = 0x400; // u64[REASONS_MAX][2]
export const REASONS_MAX = 128;
export const S_COUNTERS = S_REASON_COUNTERS + REASONS_MAX * 16; // u64[COUNTERS_MAX]
export const COUNTERS_MAX = 64;
/** Scratch of one decision: the packet that an ICMP error quotes, and two ACL keys. Nothing outlives a call. */
export const S_QUOTED_META = 0x1000; // META_SIZE
export const S_WHOLE_META = 0x1080; // META_SIZE: a datagram put together
export const S_KEY = 0x1100; // KEY_SIZE
export const S_WHOLE_RECORD = 0x1180; // u32: address of the datagram's record
/** Of its pieces that no router may cut, the longest: bytes of its IP packet; 0 none. */
export const S_WHOLE_UNCUTTABLE = S_WHOLE_RECORD + 4; // u32
export const S_RECORD_META = 0x1190; // META_SIZE: the session that a sync record is about
/** The part of a pair that this instance plays, and its half of the session sync (assembly/sync.ts). */
export const S_SYNC = 0x1200;
export const S_ROLE = S_SYNC; // u32: ROLE_*
export const S_PEER = S_ROLE + 4; // u32: 1: a peer takes records
/** Sessions whose change waits, oldest first (slot + 1, 0 none), and how many. */
export const S_QUEUE_OLDEST = S_PEER + 4; // u32
export const S_QUEUE_NEWEST = S_QUEUE_OLDEST + 4; // u32
export const S_QUEUED = S_QUEUE_NEWEST + 4; // u32
export const S_GONE = S_QUEUED + 4; // u32: of these, deleted sessions that still have their slot
/** 1: a change could not be told to the peer: the tables have to be compared. */
export const S_DIVERGED = S_GONE + 4; // u32
/** Raised with each full bulk sync: what carries it as COLD_MARK is known to the peer. 0 to SYNC_MARKS - 1. */
export const S_GENERATION_MARK = S_DIVERGED + 4; // u32
/** Bulk sync: BULK_*, the next group of the walk, and the buckets that it repairs (bit i: bucket i). */
export const S_BULK = S_GENERATION_MARK + 4; // u32
export const S_BULK_GROUP = S_BULK + 4; // u32
export const S_BULK_BUCKETS = S_BULK_GROUP + 4; // u64
/** 1: the next records begin with a VERIFY. */
export const S_VERIFY = S_BULK_BUCKETS + 8; // u32
export const S_SCAN_GROUP = S_VERIFY + 4; // u32: next group that the search for changed counters visits
/** Records written, acknowledged by the peer, and taken from the peer, since the peer came. */
export const S_RECORDS_SENT = S_SCAN_GROUP + 4; // u64
export const S_RECORDS_ACKED = S_RECORDS_SENT + 8; // u64
export const S_RECORDS_TAKEN = S_RECORDS_ACKED + 8; // u64
/** When this instance became active; sessions taken over live at least PROMOTED_IDLE_MIN_MS longer. */
export const S_PROMOTED_MS = S_RECORDS_TAKEN + 8; // u64
/** Result of the last VERIFY taken: buckets that differ (bit i: bucket i), and how many were taken. */
export const S_DIFFERENCE = S_PROMOTED_MS + 8; // u64
export const S_VERIFIED = S_DIFFERENCE + 8; // u32
export const S_REPLIES = S_VERIFIED + 4; // u32: bytes of replies after the last `syncTake`
export const S_BULK_TAKEN = S_REPLIES + 4; // u32: BULK_*: what the last bulk END taken says
export const S_ENDS_TAKEN = S_BULK_TAKEN + 4; // u32: bulk ENDs taken
export const S_KNOWN = S_ENDS_TAKEN + 4; // u32: sessions known to both
/** Sessions known to both, by bucket: exclusive or over a hash of id and version. */
export const S_DIGESTS = S_SYNC + 0x80; // u64[SYNC_BUCKETS]
export const SYNC_BUCKETS = 64;
/** Numbers of the peer to own numbers: interfaces, inspection rules, services. The host writes them. */
export const S_MAP_INTERFACES = S_DIGESTS + SYNC_BUCKETS * 8; // u8[INTERFACES_MAX]
export const S_MAP_INSPECTIONS = S_MAP_INTERFACES + 64; // u8[256]
export const S_MAP_SERVICES = S_MAP_INSPECTIONS + 256; // u16[SERVICES_MAX]
export const SERVICES_MAX = 512;
export const S_SYNC_REFUSALS = S_MAP_SERVICES + SERVICES_MAX * 2; // u64[SX_COUNT]
/** IF_* of each interface in force: those of the policy, and what a live instance adds. Derived by `attach`. */
export const S_LINK_FLAGS = 0x1b00; // u8[256]: a number that is no interface has none
/** A neighbour that the host puts in, takes out or asks for, and the next hop that it is told. */
export const S_NEIGHBOR = S_LINK_FLAGS + 256; // NEIGHBOR_SIZE
export const S_NEXT_HOP = S_NEIGHBOR + 32; // u8[16]
export const STATE_SIZE = 0x2000;

/** The index in S_COUNTERS of each event that is counted but is no verdict. */
export const C_CREATED_TCP = 0;
export const C_CREATED_UDP = 1;
export const C_CREATED_ICMP = 2;
export const C_CREATED_OTHER = 3;
export const C_EXPIRED = 4; // deleted by a timeout
export const C_CLOSED = 5; // deleted by RST, or some time after both FINs
export const C_EVICTED = 6; // half-open, deleted to make room
export const C_CLEARED = 7; // deleted by the operator
export const C_REOPENED = 8; // replaced by a new SYN
export const C_EVENTS_LOST = 9; // the event ring was full
export const C_SYN_IGNORED = 10; // SYN passed in an open session
export const C_MAX_SESSIONS = 11; // most sessions at a time
export const C_DATAGRAMS = 12; // fragmented datagrams completed
export const C_CLOCK_BACK = 13; // calls with a time before the last one
export const C_GONE = 14; // deleted because the peer said so
export const C_FLUSHED = 15; // deleted because a bulk sync no longer had them
export const C_RESYNCED = 16; // segments that a session taken over started its windows from
export const C_RESYNC_RESETS = 17; // RSTs dropped because nothing vouched for them after a take-over
export const C_RECORDS_ADD = 18; // sync records written, by action
export const C_RECORDS_UPDATE = 19;
export const C_RECORDS_DELETE = 20;
export const C_TAKEN_ADD = 21; // sync records taken, by action
export const C_TAKEN_UPDATE = 22;
export const C_TAKEN_DELETE = 23;
export const C_DELETES_LOST = 24; // deletions that found no room to wait for the peer
export const C_REQUESTS_LOST = 25; // unknown sessions that found no room to be asked for
export const C_DEFERRED = 26; // first replies that wait for the peer
export const C_NEIGHBORS_FULL = 27; // neighbours that found no room
export const COUNTERS = 28;

// -------------------------------------------------------------------------------------------------- timeouts

/** Milliseconds by timer index (u32). Sessions keep their index: an interned value never changes its place. */
export const TIMERS_MAX = 256;
export const TIMER_NONE = 0;
export const TIMER_SYNWAIT = 1;
export const TIMER_FINWAIT = 2;
/** RST in the window but not exact, RFC 5961: the endpoint will tell. */
export const TIMER_RST_DOUBT = 3;
export const TIMER_FRAGMENT = 4;
export const TIMER_FIRST_IDLE = 8;
/** IOS's largest timeout, 2^31 - 1 s, does not fit into 32 bits of ms: the host saturates at this. */
export const TIMEOUT_MAX_MS = 0x7fffffff;
/** A clock that jumps further is walked in steps, so that 32-bit differences stay unambiguous. */
export const CLOCK_STEP_MAX_MS = 0x40000000;

// -------------------------------------------------------------------------------------------------- flow table

/** Slots of a group; their 16-bit tags fill 32 bytes, two SIMD compares. */
export const GROUP_SLOTS = 16;
/** The table has capacity / 13 groups of 16: at most 0.81 full. */
export const GROUP_FILL = 13;
export const SESSIONS_MIN = 1024;
export const SESSIONS_LIMIT = 8388608;

/**
 * Hot record: one cache line, all that an established packet needs. Side 0 is the one with the smaller 48-bit
 * (address, port); the addresses of IPv6 are keyed 32-bit digests, the whole ones lie in the cold record.
 */
export const HOT_SIZE = 64;
export const HOT_ADDRESS0 = 0; // u32, as on the wire (or digest)
export const HOT_PORT0 = 4; // u16, as on the wire; ICMP: identifier; other protocols: the protocol number
export const HOT_KIND = 6; // u8: KIND_*, 0 = free
/** Written by the prefetch pass, never read. */
export const HOT_TOUCH = 7; // u8
export const HOT_ADDRESS1 = 8; // u32
export const HOT_PORT1 = 12; // u16
export const HOT_INTERFACE0 = 14; // u8: where side 0 lives
export const HOT_INTERFACE1 = 15; // u8
export const HOT_LAST_MS = 16; // u32: low half of the clock at the last accepted packet
export const HOT_STATE = 20; // u8: ST_*
export const HOT_TIMER = 21; // u8: index of the timeout in force
export const HOT_SCALES = 22; // u8: window scale of side 0 in the low nibble, of side 1 in the high one
export const HOT_FLAGS = 23; // u8: HF_*
export const HOT_WINDOW0 = 24; // window block of side 0
export const HOT_WINDOW1 = 40; // window block of side 1
export const HOT_BYTES0 = 56; // u32: low half of the payload bytes sent by side 0
export const HOT_BYTES1 = 60; // u32

/** Window block (van Rooij; spec of each field in assembly/tcp.ts). */
export const WINDOW_SIZE = 16;
export const W_END = 0; // u32: highest sequence number sent + 1
export const W_MAXEND = 4; // u32: right edge that the other side allowed
export const W_MAXWIN = 8; // u32: largest window this side advertised, scaled; 0 unknown
export const W_MAXACK = 12; // u32: highest acknowledgement this side sent

export const HF_INITIATOR1 = 1; // side 1 sent the first packet
export const HF_SACK0 = 2; // side 0 permits SACK; side 1: the next bit
export const HF_ACKED0 = 8; // side 0 has sent an acknowledgement (W_MAXACK is known); side 1: the next bit
/** What an established packet must look at: a doubtful RST was let through, a SYN passed in the open session. */
export const HF_RST_DOUBT = 64;
export const HF_PENDING_SYN = 128;
/** Taken over from the peer, and a direction has not been seen since (COLD_RESYNC). */
export const HF_RESYNC = 32;
export const HF_SLOW = HF_RESYNC + HF_RST_DOUBT + HF_PENDING_SYN;
/** Both sides have acknowledged; only after a simultaneous open an established session may still wait for one. */
export const HF_ACKED = 3 * HF_ACKED0;

/** Kinds of keys: protocol and family in one byte. */
export const KIND_FREE = 0;
export const KIND_TCP4 = 1;
export const KIND_UDP4 = 2;
export const KIND_ECHO4 = 3; // ICMP echo
export const KIND_TIMESTAMP4 = 4; // ICMP timestamp
export const KIND_OTHER4 = 5;
export const KIND_TCP6 = 9;
export const KIND_UDP6 = 10;
export const KIND_ECHO6 = 11;
export const KIND_OTHER6 = 13;
/** Set in every IPv6 kind. */
export const KIND_V6 = 8;
/** Set in the record of a deleted session that waits for its DELETE: no key equals it. */
export const KIND_GONE = 128;

/** States. TCP: names of netfilter's table; datagram protocols use OPENING and OPEN. */
export const ST_NONE = 0;
export const ST_SYN_SENT = 1;
export const ST_SYN_RECV = 2;
export const ST_ESTABLISHED = 3;
export const ST_FIN_WAIT = 4; // FIN of one side seen
export const ST_CLOSE_WAIT = 5; // that FIN acknowledged
export const ST_LAST_ACK = 6; // FIN of both sides seen
export const ST_TIME_WAIT = 7; // both acknowledged
export const ST_CLOSE = 8; // RST: never stored, the session goes
export const ST_SYN_SENT2 = 9; // simultaneous open
export const ST_OPENING = 10; // UDP, ICMP, other: the responder has not answered
export const ST_OPEN = 11;
export const STATES = 12;

/** Cold record: touched at creation, at the end, and by IPv6. */
export const COLD_SIZE = 128;
export const COLD_ADDRESS0 = 0; // 16 bytes, IPv6 only
export const COLD_ADDRESS1 = 16; // 16 bytes
export const COLD_ID = 32; // u64
export const COLD_CREATED_MS = 40; // u64
export const COLD_BYTES_HIGH0 = 48; // u32
export const COLD_BYTES_HIGH1 = 52; // u32
export const COLD_TOUCH0 = 56; // u8: the line of the addresses is fetched by a store here
export const COLD_ADD_NUMBER = 60; // u32: low half of the number of the last ADD that told the peer of it
export const COLD_RULE = 64; // u32: rule that permitted it, number + 1 in its bank; 0 no list
export const COLD_SERVICE = 68; // u16: what the host calls the inspected protocol
export const COLD_INSPECT = 70; // u8: inspection rule
export const COLD_FLAGS = 71; // u8: CF_*
export const COLD_IDLE_TIMER = 72; // u8: timer of the open state
export const COLD_ICMP_KIND = 73; // u8
export const COLD_OFFERED = 74; // u8: bit s: side s offered window scaling
export const COLD_PENDING_OPTIONS = 75; // u8: options of the remembered SYN (tcp.ts)
export const COLD_PENDING_SEQ = 76; // u32: a SYN of the initiator that passed in the open session
export const COLD_PENDING_END = 80; // u32
export const COLD_PENDING_WIN = 84; // u32
export const COLD_FIRST0 = 88; // u32: first sequence number after the SYN of side 0
export const COLD_FIRST1 = 92; // u32
/** In an open session taken over, in the place of COLD_FIRST0: up to where side 0 may have sent before; side 1: next. */
export const COLD_LIMIT0 = 88; // u32
export const COLD_OLDER = 96; // u32: half-open list, slot + 1
export const COLD_NEWER = 100; // u32
/** Sync: the change that waits (PENDING_*) and its place in the queue; what was last told to the peer. */
export const COLD_VERSION = 104; // u64: version of the last record, sent or taken
export const COLD_SYNC_SUM = 112; // u32: fingerprint of clock, windows and counters in that record
export const COLD_QUEUE_OLDER = 116; // u32: slot + 1
export const COLD_QUEUE_NEWER = 120; // u32
export const COLD_PENDING = 124; // u8: PENDING_*
export const COLD_MARK = 125; // u8: S_GENERATION_MARK + 1 of the bulk sync in which the peer learned of it, 0 never
export const COLD_RESYNC = 126; // u8: RS_*: directions whose windows are stale after a take-over
export const COLD_TOUCH1 = 127; // u8: the same for the second line
export const CF_AUDIT = 1; // audit trail wanted
export const CF_SIMULTANEOUS = 2; // both sides sent a SYN first
export const CF_SYNC = 4; // `redundancy stateful`: the peer is told
export const CF_FIN0 = 8; // a FIN of side 0 counts; side 1: the next bit
/** Of these, what a session is born with. */
export const CF_BIRTH = CF_AUDIT + CF_SIMULTANEOUS + CF_SYNC;

// -------------------------------------------------------------------------------------------------- session sync

export const ROLE_ACTIVE = 0;
export const ROLE_STANDBY = 1;
/** Least rest of a session's idle time after a take-over: the standby may have been told late. */
export const PROMOTED_IDLE_MIN_MS = 60000;

export const PENDING_NONE = 0;
export const PENDING_ADD = 1;
export const PENDING_UPDATE = 2;
export const PENDING_DELETE = 3;

export const BULK_NONE = 0;
export const BULK_BEGIN = 1; // BEGIN is to be written
export const BULK_WALK = 2;
export const BULK_DONE = 3; // END was written, or taken and found right
export const BULK_WRONG = 4; // END was taken, and its count or digest differs

/** Full bulk syncs that COLD_MARK can tell apart. */
export const SYNC_MARKS = 255;
/** Ids of sessions and their versions: the generation of the active that gave them, then a count. */
export const GENERATION_SHIFT = 40;

/** Tag of a deleted session whose DELETE has not been written: its slot is not free. */
export const TAG_GONE = 1;
/** Deleted sessions may hold 1 / 8 of the capacity: the slots beyond GROUP_FILL, so that no session lacks one. */
export const GONE_SHARE = 8;
/** Distance of two sequence numbers of one side that a record may show. */
export const SYNC_WINDOW_MAX = 0x40000000;

/** COLD_RESYNC, a bit for each side (resync.ts): what is known of it after a take-over, and that its FIN has no answer. */
export const RS_STALE0 = 1;
export const RS_PROVED0 = 4;
export const RS_KNOWN0 = 16;
export const RS_FIN0 = 64;

/** Room for the records of one call, in each direction, and for requests. */
export const SYNC_OUT_SIZE = 65536;
export const SYNC_IN_SIZE = 65536;
export const SYNC_REPLY_SIZE = 8192;

/**
 * A record of session sync: little-endian fields, a multiple of 4 bytes, its ends named by who began the session.
 *
 *   header 24 | ports 4 | addresses 2 x 4 or 2 x 16 | ADD, UPDATE: live 20 [TCP: windows 36] | ADD: birth 20 [TCP: 8]
 *
 * DELETE and REQUEST end behind the addresses; BEGIN, END and VERIFY have a header and then their own.
 */
export const SR_ACTION = 0; // u8: SYNC_*
export const SR_KIND = 1; // u8: KIND_*
export const SR_STATE = 2; // u8: ST_*; DELETE: the counter of the cause
export const SR_FLAGS = 3; // u8: SRF_*
export const SR_LENGTH = 4; // u16: bytes of the record
export const SR_INTERFACE_INITIATOR = 6; // u8
export const SR_INTERFACE_RESPONDER = 7; // u8
export const SR_ID = 8; // u64; BEGIN, END, VERIFY: 0
export const SR_VERSION = 16; // u64; BEGIN: its buckets; END, VERIFY: sessions known to both
export const SR_HEADER_SIZE = 24;
export const SR_PORT_INITIATOR = 24; // u16, as on the wire
export const SR_PORT_RESPONDER = 26; // u16
export const SR_ADDRESSES = 28; // u32 or u8[16] each, as on the wire
/** From behind the addresses. */
export const SL_IDLE_MS = 0; // u32: since the last packet
export const SL_BYTES_INITIATOR = 4; // u64
export const SL_BYTES_RESPONDER = 12; // u64
export const SL_SIZE = 20;
/** TCP, behind that: scales and what was offered, then two window blocks. */
export const SW_SCALES = 0; // u8: of the initiator in the low nibble
export const SW_OFFERED = 1; // u8: bit 0: the initiator offered scaling
export const SW_WINDOW_INITIATOR = 4; // WINDOW_SIZE
export const SW_WINDOW_RESPONDER = 20; // WINDOW_SIZE
export const SW_SIZE = 36;
/** ADD, behind that. */
export const SB_AGE_MS = 0; // u32, saturated
export const SB_IDLE_TIMEOUT_MS = 4; // u32: of the open state
export const SB_RULE = 8; // u32: rule number + 1, 0 none
export const SB_SERVICE = 12; // u16
export const SB_INSPECT = 14; // u8
export const SB_ICMP_KIND = 15; // u8
export const SB_FLAGS = 16; // u32: CF_BIRTH
export const SB_SIZE = 20;
/** ADD of TCP, behind that: first sequence number after each SYN. */
export const SB_FIRST_INITIATOR = 20; // u32
export const SB_FIRST_RESPONDER = 24; // u32
export const SB_TCP_SIZE = 28;
export const SYNC_RECORD_MAX = SR_ADDRESSES + 32 + SL_SIZE + SW_SIZE + SB_TCP_SIZE;
/** END and VERIFY: the digests behind the header. */
export const SV_DIGESTS = 24; // u64[SYNC_BUCKETS]
export const SV_SIZE = SV_DIGESTS + SYNC_BUCKETS * 8;

export const SYNC_ADD = 1;
export const SYNC_UPDATE = 2;
export const SYNC_DELETE = 3;
export const SYNC_REQUEST = 4; // from the standby: an UPDATE came for a session that it does not know
export const SYNC_BEGIN = 5;
export const SYNC_END = 6;
export const SYNC_VERIFY = 7;

export const SRF_SACK_INITIATOR = 1;
export const SRF_SACK_RESPONDER = 2;
export const SRF_ACKED_INITIATOR = 4;
export const SRF_ACKED_RESPONDER = 8;
export const SRF_FIN_INITIATOR = 16;
export const SRF_FIN_RESPONDER = 32;
export const SRF_RST_DOUBT = 64;
export const SRF_ALL = 127;

/** Why a record was refused; names in src/sync. */
export const SX_LENGTH = 0; // cut short, or its length lies
export const SX_ACTION = 1;
export const SX_ROLE = 2; // this role does not take such a record
export const SX_KIND = 3;
export const SX_STATE = 4;
export const SX_FLAGS = 5;
export const SX_ID = 6;
export const SX_VERSION = 7;
export const SX_PORT = 8;
export const SX_ADDRESS = 9;
export const SX_INTERFACE = 10;
export const SX_IDLE = 11;
export const SX_WINDOW = 12;
export const SX_TIMER = 13;
export const SX_SERVICE = 14; // no such inspection here
export const SX_STALE = 15; // a version or a session older than the one here
export const SX_UNKNOWN = 16; // a change of a session that is not here
export const SX_FULL = 17;
export const SX_RESERVED = 18; // a field that must be 0 is not
export const SX_COUNT = 19;

// -------------------------------------------------------------------------------------------------- descriptors

/** One frame of a batch. The host fills the first part, the core the second. */
export const DESC_SIZE = 48;
export const D_OFFSET = 0; // u32: address of the first byte in this memory
export const D_CAPTURED = 4; // u32: bytes present
export const D_WIRE = 8; // u32: bytes that were on the wire, >= captured
export const D_INGRESS = 12; // u8: interface; 0: find it by the source address (replay)
export const D_FLAGS = 13; // u8: DF_*
export const D_ETHERTYPE = 14; // u16, host order: 0 an Ethernet frame; else the payload of that type, without link header
export const D_COOKIE = 16; // u32: the host's own, returned untouched
export const D_VERDICT = 20; // u8: VERDICT_*
export const D_REASON = 21; // u8
export const D_EGRESS = 22; // u8: 0 none; of what is too big for it, where it would have left
export const D_SIDE = 23; // u8: 0 from the initiator, 1 from the responder, when there is a session
export const D_RULE = 24; // u32: rule number + 1 in the active bank that decided, 0 none
export const D_SESSION = 28; // u32: slot + 1, 0 none
export const D_SESSION_ID = 32; // u64: id of the session, 0 none; only if DF_IDS was set
export const D_NETWORK = 40; // u16: bytes from the start of the frame to the IP header
export const D_PROTOCOL = 42; // u8: IP protocol, 0 when it was not parsed
/**
 * What a live instance has made of the frame; elsewhere always FW_NONE. For what passes, D_OFFSET, D_CAPTURED, D_WIRE and
 * D_NETWORK describe the frame as it leaves: with the link header of the egress, its tag pushed or popped in place,
 * without what stood behind the IP packet. So up to FRAME_HEADROOM bytes before a frame must be its own.
 */
export const D_FORWARD = 43; // u8: FW_*
export const D_PORT = 44; // u8: the device to send by (LI_PORT of the egress)
/** In: the frame was merged (GSO) of segments with so many bytes of payload each, the last one perhaps fewer; 0: it was not. */
export const D_SEGMENT = 46; // u16
/** Nothing leaves and nothing is due: dropped or held. */
export const FW_NONE = 0;
/** Ready to be sent by D_PORT. */
export const FW_SEND = 1;
/** For the firewall itself; the frame is as it came. */
export const FW_LOCAL = 2;
/** Ready but for the destination MAC, which is all zero: the next hop has to be resolved. */
export const FW_RESOLVE = 3;
/** Dropped for its size: ICMP "fragmentation needed" or "packet too big" is due. The frame is as it came. */
export const FW_TOO_BIG = 4;
/** Dropped, and an ICMP error may be due by D_REASON. The frame is as it came. */
export const FW_REPORT = 5;
/** As FW_SEND, or FW_RESOLVE when the destination MAC is all zero, once it is cut into fragments of the egress's MTU. */
export const FW_FRAGMENT = 6;
/** As FW_SEND, once the peer has acknowledged the session (DF_DEFERRED; in FW_RESOLVE and FW_FRAGMENT the flag says it). */
export const FW_DEFER = 7;
/** Not decided: the host keeps it until the role has been handed over. The frame is as it came. */
export const FW_WAIT = 8;
/** Bytes before a frame that a live instance may write to: the longest link header that it builds, and room. */
export const FRAME_HEADROOM = 64;
/** Bytes of one frame of the region `buffers`, headroom included. */
export const BUFFER_SIZE = 2048;
/** Checksums of the transport are known to be good or not computed yet (offload). */
export const DF_CHECKSUM_OK = 1;
/** Also the IPv4 header checksum. */
export const DF_HEADER_CHECKSUM_OK = 2;
/** Write D_SESSION_ID. */
export const DF_IDS = 4;
/** Record the steps of the decision in S_TRACE (the last such packet of a batch stays). */
export const DF_TRACE = 8;
/** Out: the packet passes when the peer has acknowledged its session (COLD_ADD_NUMBER), or has had its time. */
export const DF_DEFERRED = 16;
/**
 * In: the sender may have left the transport checksum of TCP or UDP to its device (CHECKSUM_PARTIAL), and nobody has said so
 * of this frame: a checksum that is wrong and equals the sum of the pseudo header is completed where it stands.
 */
export const DF_MAYBE_PARTIAL = 64;
/** Steps; the value says what the step found. */
export const TR_LINK = 1; // ingress interface after tags
export const TR_SANITY = 2; // R_* of the parse, 0 sound
export const TR_FRAGMENT = 3; // VERDICT_HELD, 0 when the datagram is complete, else the R_* of the drop
export const TR_SESSION = 4; // slot + 1 of the session, 0 none
export const TR_STATE = 5; // state before * 256 + state after (TCP)
export const TR_WINDOW = 6; // R_* of the window check, 0 inside
export const TR_SOURCE = 7; // R_* of the source checks, 0 sound
export const TR_ACL_IN = 8; // list number; followed by TR_RULE
export const TR_ROUTE = 9; // egress interface, 0 none, 255 the firewall itself
export const TR_TTL = 10; // R_TTL_EXPIRED or 0
export const TR_ACL_OUT = 11; // list number; followed by TR_RULE
export const TR_RULE = 12; // rule number + 1, 0 none matched
export const TR_INSPECT = 13; // inspection rule number, 0 none bound; followed by TR_ENTRY
export const TR_ENTRY = 14; // entry number + 1, 0 not listed
export const TR_MIRROR = 15; // 1: the lists admit the other direction, 0 not
export const TR_CREATE = 16; // slot + 1 of the new session, 0 table full
export const TR_EVICT = 17; // slot + 1 of the half-open session that made room
export const TR_RELATED = 18; // slot + 1 of the session that an ICMP error is about, 0 none
export const TR_MTU = 19; // R_TOO_BIG
export const TR_FORWARD = 20; // FW_* of what passes in a live instance

export const VERDICT_NONE = 0;
export const VERDICT_PASS = 1;
export const VERDICT_DROP = 2;
/** For the firewall itself: the host takes it. */
export const VERDICT_LOCAL = 3;
/**
 * A fragment: kept until its datagram is complete or given up; its verdict comes in a later call, by its cookie. With
 * R_HANDOVER any frame, which the core does not keep.
 */
export const VERDICT_HELD = 4;

/** Frames handled in one pass; the batch of the host may be larger. */
export const PASS_MAX = 64;
export const BATCH_LIMIT = 4096;
export const FRAME_MAX = 65598; // 65535 of IP, Ethernet, three tags, rounded up

// -------------------------------------------------------------------------------------------------- interfaces

export const INTERFACES_MAX = 64; // numbers 1..63; 0 is "none"

// -------------------------------------------------------------------------------------------------- live

/**
 * How this machine is wired: no policy, so that it outlives one, and no part of a snapshot. Written by the host
 * (src/forwarding.ts) between two calls, read by the core.
 */
export const LIVE_ON = 0; // u32: 1: what passes is prepared for the wire
export const LIVE_NEIGHBORS = 4; // u32: neighbours in the table
export const LIVE_HANDOVER = 8; // u32: 1: only what is for the firewall itself is decided, everything else waits
/** Without an audit trail, too, sessions are reported as they begin and end: CF_AUDIT, or 0. Also without LIVE_ON. */
export const LIVE_TELLS = 12; // u8
export const LIVE_INTERFACES = 64; // LIVE_INTERFACE_SIZE[INTERFACES_MAX]
export const LIVE_INTERFACE_SIZE = 128;
export const LI_FLAGS = 0; // u8: LIF_*
export const LI_PORT = 1; // u8: the device that carries the interface
export const LI_VLAN = 2; // u16: tag that frames leave with, 0 none
/** Largest IP packet that the interface sends; 0: any. Also without LIVE_ON. */
export const LI_MTU = 4; // u32
/** MAC addresses: six bytes in the order of the wire, the upper two bytes of the u64 zero. */
export const LI_SOURCE_MAC = 8; // u64: frames leave from it
/** Frames to one of these are ours: the device's own, then virtual ones; LI_NO_MAC where there is none. */
export const LI_MACS = 16; // u64[1 + LIVE_MACS_MAX]
export const LIVE_MACS_MAX = 8;
export const LIVE_SIZE = LIVE_INTERFACES + INTERFACES_MAX * LIVE_INTERFACE_SIZE;
/** Has a device. An interface without one is down in a live instance. */
export const LIF_ON = 1;

/**
 * Who is where: the MAC addresses of next hops, by interface and address. Open addressing: an entry stands within
 * NEIGHBOR_PROBES places of its hash, with no free place between.
 */
export const NEIGHBOR_SIZE = 32;
export const NB_ADDRESS = 0; // u8[16]: IPv4 in the first four, then zeros
export const NB_INTERFACE = 16; // u8
export const NB_V6 = 17; // u8: 0 or 1
export const NB_STATE = 18; // u8: 0 free, 1 in use
export const NB_USED = 19; // u8: 1: a packet was sent to it since the host looked
export const NB_MAC = 24; // u64, as LI_SOURCE_MAC
export const NEIGHBORS_MAX = 8192;
/** At most half full, so that searches stay short. */
export const NEIGHBOR_PLACES = 16384;
export const NEIGHBOR_PROBES = 64;

// -------------------------------------------------------------------------------------------------- meta

/** What the parse pass knows of a frame. */
export const META_SIZE = 96;
export const M_KEY0 = 0; // u64: as the hot record's first 8 bytes, touch byte 0
export const M_KEY1 = 8; // u64: as the second, interfaces 0
export const M_SEQ = 16; // u32, host order
export const M_ACK = 20; // u32
export const M_WIN = 24; // u32, unscaled
export const M_END = 32; // u32: seq + payload + SYN + FIN
export const M_HASH = 36; // u32
export const M_SLOT = 40; // u32: candidate
export const M_CLASS = 44; // u8: CLASS_*
export const M_REASON = 45; // u8: why CLASS_DROP
export const M_SIDE = 46; // u8: 1 when the source is side 1
export const M_FLAGS = 47; // u8: TCP flags
export const M_FRAME = 48; // u32: address of the frame
export const M_NETWORK = 52; // u32: address of the IP header
export const M_TRANSPORT = 56; // u32: address of the transport header
export const M_PAYLOAD = 60; // u32: payload bytes on the wire
export const M_LENGTH = 64; // u32: bytes of the IP packet on the wire
export const M_AVAILABLE = 68; // u32: bytes of the transport header and payload present
export const M_PROTOCOL = 72; // u8
export const M_TTL = 73; // u8
export const M_INGRESS = 74; // u8
export const M_V6 = 75; // u8: 0 or 1
export const M_ICMP_TYPE = 76; // u8
export const M_ICMP_CODE = 77; // u8
export const M_EXTENSIONS = 78; // u8: KX_* of the ACL key
export const M_OPTIONS = 79; // u8: 1 when the IPv4 header has options
export const M_FRAGMENT = 80; // u32: address of the fragment header (IPv6) or 0
export const M_ROUTING_TYPE = 84; // u8
export const M_TCP_OPTIONS = 85; // u8: 1 when there are TCP options other than a lone timestamp
export const M_SCOPE = 86; // u8: SCOPE_*
export const M_WIRE = 88; // u32: bytes of the frame on the wire, for the counters
export const M_REOPENS = 92; // u32: slot + 1 of the closed session that this SYN may replace, 0 none
/** When the packet is decided, in the places of M_KEY0: where it goes next (forward.ts). */
export const M_NEXT_HOP = 0; // u32: address of the next hop's address
export const M_NEIGHBOR = 4; // u32: first place in the neighbour table to look at

export const SCOPE_UNICAST = 0;
export const SCOPE_LOCAL_MULTICAST = 1; // for the firewall, once the inbound list permits it
export const SCOPE_NEIGHBOR = 2; // neighbour discovery: for the firewall, no list
export const SCOPE_LISTENER = 3; // MLD: the same
export const SCOPE_LINK = 4; // to a link-local address: for the firewall if it is its own, once the inbound list permits it

export const CLASS_DROP = 0;
export const CLASS_TCP = 1;
export const CLASS_DATAGRAM = 2; // UDP, ICMP query, other protocols: sessions without a state table
export const CLASS_ICMP_ERROR = 3;
export const CLASS_ICMP_OTHER = 4; // no session possible; ACLs decide
export const CLASS_FRAGMENT = 5;
export const CLASS_LOCAL = 6; // ARP, neighbour discovery: the host's, without a list

// -------------------------------------------------------------------------------------------------- ACL key

/** What the ACL reads of a packet. Addresses: IPv4 in word 0, host order; IPv6 four words, most significant first. */
export const KEY_SIZE = 64;
export const K_SOURCE = 0; // u32[4], host order
export const K_DESTINATION = 16; // u32[4]
export const K_SOURCE_PORT = 32; // u32; 0 where the protocol has none
export const K_DESTINATION_PORT = 36; // u32
export const K_PROTOCOL = 40; // u32
export const K_TCP_FLAGS = 44; // u8
export const K_ICMP_TYPE = 45; // u8; IGMP: its type
export const K_ICMP_CODE = 46; // u8
export const K_TOS = 47; // u8: type of service or traffic class, all 8 bits
export const K_TTL = 48; // u8
export const K_EXTENSIONS = 49; // u8: KX_*
export const K_ROUTING_TYPE = 50; // u8
export const K_FLAGS = 51; // u8: KF_*
export const K_FLOW_LABEL = 52; // u32
export const K_NETWORK = 56; // u32: address of the IP header, for conditions on options
export const K_NETWORK_AVAILABLE = 60; // u32: bytes from there that may be read

/** Extension headers met (IPv6). */
export const KX_HOP_BY_HOP = 1;
export const KX_ROUTING = 2;
export const KX_DESTINATION = 4;
export const KX_MOBILITY = 8;
export const KX_AH = 16;
/** No transport header could be found (IPv6 undetermined-transport). */
export const KX_UNDETERMINED = 32;
export const KF_V6 = 1;
/** A non-initial fragment: ports, flags and types are unknown. */
export const KF_FRAGMENT = 2;
/** The IPv4 header has options. */
export const KF_OPTIONS = 4;

// -------------------------------------------------------------------------------------------------- policy image

/**
 * A policy is one contiguous image, built by src/policy and copied into the bank that is not in force; offsets are
 * bytes from the start of the image. `activate` checks every offset and count, then switches: atomic between batches.
 */
export const POLICY_MAGIC = 0x79637074; // "tpcy"
export const P_MAGIC = 0; // u32
export const P_LAYOUT = 4; // u32
export const P_SIZE = 8; // u32: bytes of the image
export const P_FLAGS = 12; // u32: PF_*
export const P_INTERFACES = 16; // u32 offset
export const P_INTERFACE_COUNT = 20; // u32, with number 0
export const P_ROUTES4 = 24; // u32 offset; longest prefix first
export const P_ROUTE4_COUNT = 28; // u32
export const P_ROUTES6 = 32; // u32 offset
export const P_ROUTE6_COUNT = 36; // u32
export const P_INSPECT = 40; // u32 offset: INSPECT_SIZE records, number 0 unused
export const P_INSPECT_COUNT = 44; // u32, with number 0
export const P_INSPECT_ENTRIES = 48; // u32 offset
export const P_INSPECT_ENTRY_COUNT = 52; // u32
export const P_ACLS = 56; // u32 offset of the ACL section (see below)
export const P_ACLS_SIZE = 60; // u32
export const P_FRAGMENT_MAX = 64; // u32: held frames in all, at most S_HELD_MAX
export const P_FRAGMENT_PER_SOURCE = 68; // u32
export const P_FRAGMENT_PER_DATAGRAM = 72; // u32
/** Two interfaces of which each is the egress of what comes in by the other, no route asked; 0: routes decide. */
export const P_PAIR_A = 76; // u32
export const P_PAIR_B = 80; // u32
export const P_SPANS4 = 84; // u32 offset: how routes are searched (see below)
export const P_SPAN4_COUNT = 88; // u32
export const P_SPANS6 = 92; // u32 offset
export const P_SPAN6_COUNT = 96; // u32
export const POLICY_HEADER_SIZE = 128;
export const POLICY_IMAGE_MIN = 65536;

/** `ip source-route` was said: loose and strict source routes and record route pass. */
export const PF_SOURCE_ROUTE = 1;
/** `ip options ignore`: other well-formed options pass. */
export const PF_OPTIONS_IGNORE = 2;
/** `ip inspect tcp block-non-session`. */
export const PF_BLOCK_NON_SESSION = 4;
/** `ip inspect log drop-pkt`. */
export const PF_LOG_DROPS = 16;
/** No checksum is verified (captures taken where the NIC computes them). */
export const PF_NO_CHECKSUMS = 32;
/** `ip inspect redundancy defer`: half-open sessions are told too, and first replies wait for the acknowledgement. */
export const PF_DEFER = 64;
/** `ip inspect redundancy resync strict`: a stale side may have moved by SYNC_WINDOW_MAX at most. */
export const PF_RESYNC_STRICT = 128;

export const INTERFACE_SIZE = 32;
export const I_FLAGS = 0; // u8: IF_*
export const I_RPF4 = 1; // u8: RPF_*
export const I_RPF6 = 2; // u8
export const I_VLAN_PARENT = 3; // u8: number of the physical interface of a subinterface, else 0
export const I_MAC = 4; // u8[6]
export const I_VLAN = 10; // u16: tag of a subinterface, 0 none
export const I_ACL_IN4 = 12; // u16: list number, 0 none
export const I_ACL_OUT4 = 14; // u16
export const I_ACL_IN6 = 16; // u16
export const I_ACL_OUT6 = 18; // u16
export const I_INSPECT_IN4 = 20; // u8: inspection rule number, 0 none
export const I_INSPECT_OUT4 = 21; // u8
export const I_INSPECT_IN6 = 22; // u8
export const I_INSPECT_OUT6 = 23; // u8
export const I_STATEFUL = 24; // u8: bit i: sessions of inspection binding i (in the order above) are told to the peer
export const I_NATIVE = 25; // u8: number of the subinterface that frames without a tag belong to, 0 none
export const IF_UP = 1;
/** Frames must be addressed to I_MAC (or to a group address). */
export const IF_CHECK_MAC = 2;
/** Has subinterfaces, or is live: a tag that belongs to none is dropped. Else tags are looked through. */
export const IF_VLAN_STRICT = 4;
/** Takes part in IPv4; the next bit: in IPv6. */
export const IF_IP4 = 8;
export const IF_IP6 = 16;
/** `ip virtual-reassembly drop-fragments`; the next bit: of IPv6. */
export const IF_DROP_FRAGMENTS4 = 32;
export const IF_DROP_FRAGMENTS6 = 64;
/** I_NATIVE is not 0. */
export const IF_NATIVE = 128;
export const RPF_OFF = 0;
export const RPF_ANY = 1;
export const RPF_RX = 2;
export const RPF_ALLOW_DEFAULT = 4;

export const ROUTE4_SIZE = 16;
export const ROUTE4_NETWORK = 0; // u32, host order
export const ROUTE4_MASK = 4; // u32
export const ROUTE4_INTERFACE = 8; // u8
export const ROUTE4_FLAGS = 9; // u8: RT_*
/** The next shorter route that holds this network: its index, always higher than the own one, + 1; 0 none. */
export const ROUTE4_WIDER = 10; // u16
/** Next hop, a neighbour on ROUTE4_INTERFACE, in the order of the wire; 0: the destination itself. */
export const ROUTE4_GATEWAY = 12; // u32
export const ROUTE6_SIZE = 56;
export const ROUTE6_NETWORK = 0; // u8[16], network order
export const ROUTE6_MASK = 16; // u8[16]
export const ROUTE6_INTERFACE = 32; // u8
export const ROUTE6_FLAGS = 33; // u8
export const ROUTE6_WIDER = 34; // u16
export const ROUTE6_GATEWAY = 40; // u8[16]: as ROUTE4_GATEWAY
/** The firewall's own address. */
export const RT_LOCAL = 1;
/** Broadcast (all ones) or network address of a connected subnet. */
export const RT_BROADCAST = 2;
/** The default route: does not count for `reachable-via` unless allowed. */
export const RT_DEFAULT = 4;
export const RT_CONNECTED = 8;
export const ROUTES_MAX = 4096;

/**
 * The addresses of a family cut into spans that do not overlap, ascending, the first from address 0: every address of a
 * span has the same longest prefix. The starts stand side by side, behind them an u16 for each: index of the route + 1,
 * 0 none. The search halves what is left until one span is.
 */
export const SPAN4_SIZE = 4; // u32, host order
export const SPAN6_SIZE = 16; // u64 upper, u64 lower half, each in host order
export const SPAN_ROUTE_SIZE = 2;
/** Each route begins one span and ends another. */
export const SPANS_MAX = 2 * ROUTES_MAX + 1;

/** An inspection rule: a run of entries, applications before tcp, udp, icmp and ip. */
export const INSPECT_SIZE = 8;
export const IN_FIRST = 0; // u32
export const IN_COUNT = 4; // u32
export const INSPECT_RULES_MAX = 255;
export const ENTRY_SIZE = 12;
export const E_PROTOCOL = 0; // u8: 6, 17, 1, 58; 255 any other
export const E_FLAGS = 1; // u8: CF_*
export const E_PORT_LOW = 2; // u16: destination port of the first packet
export const E_PORT_HIGH = 4; // u16
export const E_SERVICE = 6; // u16
export const E_TIMER = 8; // u8: idle timer
export const ENTRY_OTHER = 255;

// -------------------------------------------------------------------------------------------------- fragments

/** A datagram of which fragments are held. S_HELD_MAX records; a datagram stands within FRAGMENT_PROBES of its hash. */
export const FRAGMENT_SIZE = 64;
export const F_USED = 0; // u8: FRAGMENT_*
export const F_V6 = 1; // u8
export const F_PROTOCOL = 2; // u8: IPv4 only, 0 in IPv6
export const F_INGRESS = 3; // u8
export const F_ID = 4; // u32
export const F_SOURCE = 8; // u8[16]
export const F_DESTINATION = 24; // u8[16]
export const F_SINCE_MS = 40; // u32
export const F_FIRST_HELD = 44; // u32: held frames in order of arrival, index + 1
export const F_LAST_HELD = 48; // u32
export const F_BYTES = 52; // u32: payload bytes held
export const F_TOTAL = 56; // u32: payload bytes in all, 0 unknown
export const F_COUNT = 60; // u16: held frames
/** Frames held from the sources that hash to this place; it belongs to the place, not to the datagram. */
export const F_SOURCE_HELD = 62; // u16
export const FRAGMENT_PROBES = 64;
export const FRAGMENT_FREE = 0;
export const FRAGMENT_OPEN = 1;
/** Overlap: all later fragments of it are dropped until the timer ends. */
export const FRAGMENT_POISONED = 2;

/** A held frame: header, the meta record it was parsed to, room for another link header, then its bytes. */
export const HELD_FRAME_MAX = 9216;
export const H_NEXT = 0; // u32: next of the same datagram, or of the free or released list, index + 1
export const H_FROM = 4; // u32: fragment offset in bytes
export const H_TO = 8; // u32
export const H_CAPTURED = 12; // u32
export const H_COOKIE = 16; // u32
export const H_ETHERTYPE = 20; // u16
export const H_FLAGS = 22; // u8: DF_*
export const H_META = 32; // META_SIZE
export const HELD_HEADER = H_META + META_SIZE + FRAME_HEADROOM;
export const HELD_SIZE = HELD_HEADER + HELD_FRAME_MAX;

// -------------------------------------------------------------------------------------------------- events

/** What the host logs: sessions, matches of entries with `log`, inspection drops. Written during a call, read after. */
export const EVENT_SIZE = 96;
export const EV_TYPE = 0; // u8: EVENT_*
export const EV_REASON = 1; // u8
export const EV_PROTOCOL = 2; // u8
export const EV_V6 = 3; // u8
export const EV_INGRESS = 4; // u8
export const EV_FLAGS = 5; // u8: TCP flags, or ICMP type; of a session CF_*
export const EV_ICMP_CODE = 6; // u8
export const EV_RULE = 8; // u32: rule number + 1
export const EV_SOURCE_PORT = 12; // u16, host order
export const EV_DESTINATION_PORT = 14; // u16
export const EV_SOURCE = 16; // u8[16]: IPv4 in the first four, network order
export const EV_DESTINATION = 32; // u8[16]
export const EV_SESSION_ID = 48; // u64
export const EV_BYTES_INITIATOR = 56; // u64
export const EV_BYTES_RESPONDER = 64; // u64
export const EV_SEQ = 72; // u32
export const EV_ACK = 76; // u32
export const EV_SERVICE = 80; // u16
export const EV_IP_ID = 82; // u16
export const EV_MAC = 84; // u8[6]: source of the frame, for log-input
export const EV_COOKIE = 92; // u32
export const EVENT_SESSION_START = 1;
export const EVENT_SESSION_STOP = 2;
export const EVENT_RULE_LOG = 3; // an entry with `log` matched; EV_REASON tells the verdict
export const EVENT_DROP = 4; // `ip inspect log drop-pkt`
export const EVENT_TABLE_FULL = 5;
export const EVENT_EVICTED = 6;

// -------------------------------------------------------------------------------------------------- reasons

/** Why a packet passed, was dropped or was taken. Codes are stable; names and texts stand in src/reasons.ts. */
export const R_NONE = 0;
export const R_ESTABLISHED = 1;
export const R_NEW_SESSION = 2;
export const R_RELATED = 3;
export const R_PERMITTED = 4;
export const R_LOCAL = 5;
export const R_ARP = 6;
export const R_NEIGHBOR_DISCOVERY = 7;
export const R_LOCAL_MULTICAST = 8;
export const R_HELD = 9;
export const R_HANDOVER = 10; // waits in the host until the role has been handed over (LIVE_HANDOVER)

export const R_NOT_READY = 16;
export const R_BAD_DESCRIPTOR = 17;
export const R_INTERFACE_DOWN = 18;
export const R_FRAME_TRUNCATED = 19;
export const R_ETHERTYPE = 20;
export const R_VLAN = 21;
export const R_NOT_FOR_US = 22;
export const R_LINK_BROADCAST = 23;
export const R_STANDBY = 45; // a standby forwards nothing
export const R_TOO_BIG = 46; // larger than the MTU of the egress, and not to be cut

export const R_IP_HEADER = 24;
export const R_IP_LENGTH = 25;
export const R_IP_CHECKSUM = 26;
export const R_IP_OPTION_MALFORMED = 27;
export const R_IP_SOURCE_ROUTE = 28;
export const R_IP_RECORD_ROUTE = 29;
export const R_IP_OPTION = 30;
export const R_MARTIAN_SOURCE = 31;
export const R_MARTIAN_DESTINATION = 32;
export const R_LAND = 33;
export const R_OWN_SOURCE = 34;
export const R_SOURCE_UNROUTABLE = 35;
export const R_REVERSE_PATH = 36;
export const R_BROADCAST = 37;
export const R_MULTICAST = 38;
export const R_TTL_EXPIRED = 39;
export const R_NO_ROUTE = 40;
export const R_LINK_SCOPE = 41;
export const R_IPV6_EXTENSION = 42;
export const R_IPV6_ROUTING_HEADER = 43;
export const R_PROTOCOL_DISABLED = 44;

export const R_FRAGMENT_MALFORMED = 48;
export const R_FRAGMENT_TINY = 49;
export const R_FRAGMENT_OVERLAP = 50;
export const R_FRAGMENT_OVERSIZE = 51;
export const R_FRAGMENT_TABLE_FULL = 52;
export const R_FRAGMENT_TIMEOUT = 53;
export const R_FRAGMENT_TOO_LARGE = 54;
export const R_FRAGMENT_REFUSED = 55;

export const R_TCP_HEADER = 56;
export const R_TCP_FLAGS = 57;
export const R_TCP_CHECKSUM = 58;
export const R_UDP_HEADER = 59;
export const R_UDP_CHECKSUM = 60;
export const R_ICMP_HEADER = 61;
export const R_ICMP_CHECKSUM = 62;
export const R_PORT_ZERO = 63;
export const R_ICMP_FORBIDDEN = 64; // redirect, source quench

export const R_TCP_NO_SESSION = 68;
export const R_TCP_STATE = 69;
export const R_TCP_HANDSHAKE = 70;
export const R_TCP_SEQ_HIGH = 71; // rule I
export const R_TCP_SEQ_OLD = 72; // rule II
export const R_TCP_ACK_HIGH = 73; // rule III
export const R_TCP_ACK_OLD = 74; // rule IV
export const R_TCP_RST_WINDOW = 75;
export const R_TCP_AFTER_CLOSE = 76;
export const R_ICMP_NO_SESSION = 80;
export const R_ICMP_UNRELATED = 81;
export const R_WRONG_INTERFACE = 82;
export const R_TABLE_FULL = 83;

export const R_ACL_IN_DENY = 88;
export const R_ACL_IN_IMPLICIT = 89;
export const R_ACL_OUT_DENY = 90;
export const R_ACL_OUT_IMPLICIT = 91;

// -------------------------------------------------------------------------------------------------- ACL section

/**
 * All access lists of a policy, built by src/acl and read by assembly/acl.ts; offsets are bytes from the start of the
 * section, which lies on a multiple of 64. One rule is one entry of a list; object groups and port lists make several
 * records of it, all with its number. A rule that is "found" is its number + 1, 0 none.
 *
 *   header | lists | rules (a byte each) | conditions | for each list: nodes | blocks | records
 */
export const ACL_HEADER_SIZE = 64;
export const AH_SIZE = 0; // u32: bytes of the section
export const AH_LIST_COUNT = 4; // u32
export const AH_LISTS = 8; // u32 offset; list number 1 first
export const AH_RULE_COUNT = 12; // u32
export const AH_RULES = 16; // u32 offset: u8[rules + 1] of RULE_*, by rule number + 1
export const AH_CONDITION_COUNT = 20; // u32
export const AH_CONDITIONS = 24; // u32 offset
export const RULE_PERMIT = 1;
export const RULE_LOG = 2;

/** A list: its records in order, and up to ACL_TREES_MAX trees over those that can match a whole packet. */
export const ACL_LIST_SIZE = 64;
export const AL_FAMILY = 0; // u32: 4 or 6
export const AL_RECORD_COUNT = 4; // u32
export const AL_RECORDS = 8; // u32 offset
export const AL_TREE_COUNT = 12; // u32
export const AL_NODE_COUNT = 16; // u32
export const AL_NODES = 20; // u32 offset
export const AL_BLOCK_COUNT = 24; // u32
export const AL_BLOCKS = 28; // u32 offset
export const AL_TREES = 32; // ACL_TREE_SIZE[ACL_TREES_MAX], by AT_FIRST
export const ACL_TREES_MAX = 4;
export const ACL_TREE_SIZE = 8;
export const AT_ROOT = 0; // u32 reference
export const AT_FIRST = 4; // u32: the lowest rule in it, number + 1

/**
 * A reference is a node (its offset from AL_NODES) or, with the lowest bit set, a run of blocks: how many (15 bits), then
 * the index of the first. A small list is a single run without a node.
 */
export const REF_RUN = 1;
export const REF_FIRST_SHIFT = 16;
export const RUN_BLOCKS_MAX = 32767;
export const ACL_BLOCKS_MAX = 65536; // in one list

/** A node looks at one word of the key: child i if that many of the starts are not above it. */
export const ACL_NODE_SIZE = 64;
export const AN_STARTS = 0; // u32[7], ascending: where children 1 to 7 begin; unused ones 0xffffffff
export const AN_WORD = 28; // u32: offset in the key: K_SOURCE .. K_PROTOCOL
export const AN_CHILDREN = 32; // u32[8] references, to nodes further on than this one; unused ones as the last
export const NODE_CHILDREN = 8;
export const NODE_CUTS = 7;

/**
 * A block holds eight boxes side by side, one a lane, in order of their records. A lane matches where every word lies in
 * [low, low + span]. Addresses: IPv4 one word of each, IPv6 the upper two. An unused lane has the protocol 65535.
 */
export const BLOCK_LANES = 8;
export const AB_IDS = 0; // u32[8]: (rule number + 1) * 2, or record index * 2 + ID_VERIFY
export const AB_SOURCE_PORT = 32; // u16[8] low, u16[8] span
export const AB_DESTINATION_PORT = 64;
export const AB_PROTOCOL = 96;
export const AB_SHORT_SPAN = 16; // from the lows to the spans of a u16 field
export const AB_ADDRESSES = 128; // for each word: u32[8] low, u32[8] span
export const AB_WORD_SPAN = 32;
export const AB_WORD_SIZE = 64;
export const ACL_BLOCK4_SIZE = 256;
export const ACL_BLOCK6_SIZE = 384;
/** The box is not all that the record asks: the rest is compared on the record. */
export const ID_VERIFY = 1;

/** A record: a box over every word of the key, both ends included, and a condition. */
export const AR_RULE = 0; // u32: rule number + 1
export const AR_CONDITION = 4; // u16
export const AR_PROTOCOL_LOW = 6; // u8
export const AR_PROTOCOL_HIGH = 7; // u8
export const AR_SOURCE_PORT_LOW = 8; // u16
export const AR_SOURCE_PORT_HIGH = 10; // u16
export const AR_DESTINATION_PORT_LOW = 12; // u16
export const AR_DESTINATION_PORT_HIGH = 14; // u16
export const AR4_SOURCE_LOW = 16; // u32
export const AR4_SOURCE_HIGH = 20; // u32
export const AR4_DESTINATION_LOW = 24; // u32
export const AR4_DESTINATION_HIGH = 28; // u32
export const ACL_RECORD4_SIZE = 32;
export const AR6_SOURCE_LOW = 16; // u32[4]
export const AR6_SOURCE_HIGH = 32; // u32[4]
export const AR6_DESTINATION_LOW = 48; // u32[4]
export const AR6_DESTINATION_HIGH = 64; // u32[4]
export const ACL_RECORD6_SIZE = 80;
export const ACL_RECORDS_MAX = 131072; // in one list: the longest run is not full

/**
 * What a record asks beyond its box; equal conditions are stored once. A field that asks nothing is 0, but for
 * AC_TTL_SPAN, where it is 255.
 */
export const ACL_CONDITION_SIZE = 64;
export const AC_APPLIES = 0; // u8: APPLIES_*
export const AC_TIME_RANGE = 1; // u8: index + 1, 0 none
export const AC_TOS_MASK = 2; // u8
export const AC_TOS_VALUE = 3; // u8
export const AC_TTL_LOW = 4; // u8
export const AC_TTL_SPAN = 5; // u8
export const AC_EXTENSIONS = 6; // u8: KX_* that must all be there
export const AC_DESTINATION_MASK = 8; // u32: IPv4 address bits that must equal the value (wildcards with gaps)
export const AC_DESTINATION_VALUE = 12; // u32
export const AC_SOURCE_MASK = 16; // u32
export const AC_SOURCE_VALUE = 20; // u32
export const AC_FLOW_LABEL_MASK = 24; // u32
export const AC_FLOW_LABEL_VALUE = 28; // u32
/** u16: TYPE_GIVEN + the type that must be there. The bits of the IPv6 headers stand in AC_EXTENSIONS too. */
export const AC_OPTION = 32; // IPv4 option; TYPE_ANY: any option
export const AC_ROUTING_TYPE = 34;
export const AC_MOBILITY_TYPE = 36;
export const AC_DESTINATION_OPTION = 38;
export const TYPE_GIVEN = 256;
export const TYPE_ANY = 512;
/** From here on, what only whole packets are asked: a non-initial fragment does not show it. */
export const AC_FLAGS_MASK = 40; // u8: TCP flags that must equal the value
export const AC_FLAGS_VALUE = 41; // u8
export const AC_ANY = 42; // u8: 1: one of the next two must hold
export const AC_ANY_SET = 43; // u8: one of these flags is set
export const AC_ANY_CLEAR = 44; // u8: one of these flags is clear
export const AC_ESTABLISHED = 45; // u8: flags of which one must be set
export const AC_ICMP_TYPE_MASK = 46; // u8: IGMP types too
export const AC_ICMP_TYPE_VALUE = 47; // u8
export const AC_ICMP_CODE_MASK = 48; // u8
export const AC_ICMP_CODE_VALUE = 49; // u8
export const APPLIES_WHOLE = 1;
export const APPLIES_FRAGMENT = 2;
export const ACL_CONDITIONS_MAX = 65536;
export const ACL_LISTS_MAX = 65535; // list numbers are u16
