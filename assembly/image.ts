/**
 * Checks a policy image before it comes into force: after this, no offset or count in it can lead outside the bank.
 */
import {
  ENTRY_SIZE,
  I_ACL_IN4,
  I_INSPECT_IN4,
  I_NATIVE,
  IN_COUNT,
  IN_FIRST,
  INSPECT_SIZE,
  INTERFACE_SIZE,
  INTERFACES_MAX,
  LAYOUT_VERSION,
  P_ACLS,
  P_ACLS_SIZE,
  P_FRAGMENT_MAX,
  P_INSPECT,
  P_INSPECT_COUNT,
  P_INSPECT_ENTRIES,
  P_INSPECT_ENTRY_COUNT,
  P_INTERFACE_COUNT,
  P_INTERFACES,
  P_LAYOUT,
  P_MAGIC,
  P_PAIR_A,
  P_PAIR_B,
  P_ROUTE4_COUNT,
  P_ROUTE6_COUNT,
  P_ROUTES4,
  P_ROUTES6,
  P_SIZE,
  P_SPAN4_COUNT,
  P_SPAN6_COUNT,
  P_SPANS4,
  P_SPANS6,
  POLICY_HEADER_SIZE,
  POLICY_MAGIC,
  ROUTE4_INTERFACE,
  ROUTE4_SIZE,
  ROUTE4_WIDER,
  ROUTE6_INTERFACE,
  ROUTE6_SIZE,
  ROUTE6_WIDER,
  ROUTES_MAX,
  S_BANK_SIZE,
  S_RULES_MAX,
  SPAN4_SIZE,
  SPAN6_SIZE,
  SPAN_ROUTE_SIZE,
  SPANS_MAX,
  STATE_AT,
} from "./layout";
import { listCount, ruleCount } from "./acl";
import { validate } from "./acl-validate";
import { heldMax } from "./state";

/** What is wrong with an image; 0 is nothing. */
export const IMAGE_HEADER: u32 = 2;
export const IMAGE_BOUNDS: u32 = 3;
export const IMAGE_ACLS: u32 = 4;
export const IMAGE_REFERENCE: u32 = 5;

/** Number of the four lists, and of the four inspection rules, that an interface record names. */
const BINDINGS: usize = 4;

export function checkImage(image: usize): u32 {
  const size = load<u32>(image, P_SIZE);
  if (load<u32>(image, P_MAGIC) != POLICY_MAGIC || load<u32>(image, P_LAYOUT) != LAYOUT_VERSION)
    return IMAGE_HEADER;
  if (size < <u32>POLICY_HEADER_SIZE || size > load<u32>(STATE_AT, S_BANK_SIZE)) return IMAGE_HEADER;
  const interfaces = load<u32>(image, P_INTERFACE_COUNT);
  const inspections = load<u32>(image, P_INSPECT_COUNT);
  const entries = load<u32>(image, P_INSPECT_ENTRY_COUNT);
  const inside =
    interfaces != 0 &&
    interfaces <= <u32>INTERFACES_MAX &&
    within(image, P_INTERFACES, interfaces, INTERFACE_SIZE, size) &&
    within(image, P_ROUTES4, load<u32>(image, P_ROUTE4_COUNT), ROUTE4_SIZE, size) &&
    within(image, P_ROUTES6, load<u32>(image, P_ROUTE6_COUNT), ROUTE6_SIZE, size) &&
    load<u32>(image, P_ROUTE4_COUNT) <= <u32>ROUTES_MAX &&
    load<u32>(image, P_ROUTE6_COUNT) <= <u32>ROUTES_MAX &&
    isSpanCount(load<u32>(image, P_SPAN4_COUNT)) &&
    isSpanCount(load<u32>(image, P_SPAN6_COUNT)) &&
    within(image, P_SPANS4, load<u32>(image, P_SPAN4_COUNT), SPAN4_SIZE + SPAN_ROUTE_SIZE, size) &&
    within(image, P_SPANS6, load<u32>(image, P_SPAN6_COUNT), SPAN6_SIZE + SPAN_ROUTE_SIZE, size) &&
    within(image, P_INSPECT, inspections, INSPECT_SIZE, size) &&
    within(image, P_INSPECT_ENTRIES, entries, ENTRY_SIZE, size) &&
    within(image, P_ACLS, load<u32>(image, P_ACLS_SIZE), 1, size) &&
    load<u32>(image, P_PAIR_A) < interfaces &&
    load<u32>(image, P_PAIR_B) < interfaces &&
    load<u32>(image, P_FRAGMENT_MAX) <= heldMax;
  if (!inside) return IMAGE_BOUNDS;
  const section = image + load<u32>(image, P_ACLS);
  if (!validate(section, load<u32>(image, P_ACLS_SIZE))) return IMAGE_ACLS;
  if (ruleCount(section) > load<u32>(STATE_AT, S_RULES_MAX)) return IMAGE_ACLS;
  return referencesHold(image, interfaces, inspections, entries, listCount(section)) ? 0 : IMAGE_REFERENCE;
}

function within(image: usize, field: usize, count: u32, each: u32, size: u32): bool {
  return <u64>load<u32>(image + field) + <u64>count * <u64>each <= <u64>size;
}

/** There is always a first span. */
function isSpanCount(count: u32): bool {
  return count != 0 && count <= <u32>SPANS_MAX;
}

function referencesHold(image: usize, interfaces: u32, inspections: u32, entries: u32, lists: u32): bool {
  for (let number: usize = 0; number < interfaces; number++) {
    const record = image + load<u32>(image, P_INTERFACES) + number * INTERFACE_SIZE;
    if (load<u8>(record, I_NATIVE) >= interfaces) return false;
    for (let i: usize = 0; i < BINDINGS; i++) {
      if (load<u16>(record + (i << 1), I_ACL_IN4) > lists) return false;
      const inspection: u32 = load<u8>(record + i, I_INSPECT_IN4);
      if (inspection != 0 && inspection >= inspections) return false;
    }
  }
  for (let number: usize = 0; number < inspections; number++) {
    const rule = image + load<u32>(image, P_INSPECT) + number * INSPECT_SIZE;
    if (<u64>load<u32>(rule, IN_FIRST) + <u64>load<u32>(rule, IN_COUNT) > <u64>entries) return false;
  }
  return (
    routesHold(image, P_ROUTES4, P_ROUTE4_COUNT, ROUTE4_SIZE, ROUTE4_INTERFACE, ROUTE4_WIDER, interfaces) &&
    routesHold(image, P_ROUTES6, P_ROUTE6_COUNT, ROUTE6_SIZE, ROUTE6_INTERFACE, ROUTE6_WIDER, interfaces) &&
    spansHold(image, P_SPANS4, P_SPAN4_COUNT, SPAN4_SIZE, load<u32>(image, P_ROUTE4_COUNT)) &&
    spansHold(image, P_SPANS6, P_SPAN6_COUNT, SPAN6_SIZE, load<u32>(image, P_ROUTE6_COUNT))
  );
}

/** Every route leads to an interface, and to wider routes only further on: that walk ends. */
function routesHold(
  image: usize,
  at: usize,
  count: usize,
  size: usize,
  field: usize,
  wider: usize,
  interfaces: u32,
): bool {
  const routes = image + load<u32>(image + at);
  const number = load<u32>(image + count);
  for (let i: u32 = 0; i < number; i++) {
    const route = routes + <usize>i * size;
    if (load<u8>(route + field) >= interfaces) return false;
    const next: u32 = load<u16>(route + wider);
    if (next != 0 && (next <= i + 1 || next > number)) return false;
  }
  return true;
}

/** The spans begin with address 0, ascend, and lead to routes. */
function spansHold(image: usize, at: usize, count: usize, size: usize, routes: u32): bool {
  const starts = image + load<u32>(image + at);
  const number: usize = load<u32>(image + count);
  for (let i: usize = 0; i < number; i++) {
    const start = starts + i * size;
    if (i == 0 ? !isZero(start, size) : !isBelow(start - size, start, size)) return false;
    if (load<u16>(starts + number * size + i * SPAN_ROUTE_SIZE) > routes) return false;
  }
  return true;
}

function isZero(start: usize, size: usize): bool {
  return size == SPAN4_SIZE ? load<u32>(start) == 0 : (load<u64>(start) | load<u64>(start, 8)) == 0;
}

function isBelow(one: usize, other: usize, size: usize): bool {
  if (size == SPAN4_SIZE) return load<u32>(one) < load<u32>(other);
  const upper = load<u64>(one);
  return upper < load<u64>(other) || (upper == load<u64>(other) && load<u64>(one, 8) < load<u64>(other, 8));
}
