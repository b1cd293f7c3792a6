/** Fields in network order, and the Internet checksum (RFC 1071). */

@inline
export function be16(at: usize): u32 {
  return <u32>bswap<u16>(load<u16>(at));
}


@inline
export function be32(at: usize): u32 {
  return bswap<u32>(load<u32>(at));
}

/** Unfolded one's complement sum of `length` bytes; the byte order does not matter until the end (RFC 1071 2B). */
export function sum(at: usize, length: u32): u64 {
  let lanes = v128.splat<u32>(0);
  let total: u64 = 0;
  while (length >= 16) {
    // A lane takes 2 * 65535 a round: 32768 rounds fit, 65535 bytes are 4096 rounds.
    lanes = v128.add<u32>(lanes, v128.extadd_pairwise<u16>(v128.load(at)));
    at += 16;
    length -= 16;
  }
  total += <u64>v128.extract_lane<u32>(lanes, 0) + <u64>v128.extract_lane<u32>(lanes, 1);
  total += <u64>v128.extract_lane<u32>(lanes, 2) + <u64>v128.extract_lane<u32>(lanes, 3);
  while (length >= 2) {
    total += <u64>load<u16>(at);
    at += 2;
    length -= 2;
  }
  if (length != 0) total += <u64>load<u8>(at);
  return total;
}

/** Folds a sum to 16 bits; 0xffff means that a block with its checksum is sound. */
@inline
export function fold(total: u64): u32 {
  total = (total & 0xffffffff) + (total >> 32);
  total = (total & 0xffff) + (total >> 16);
  total = (total & 0xffff) + (total >> 16);
  total = (total & 0xffff) + (total >> 16);
  return <u32>total;
}

/** Whether a 20-byte IPv4 header sums up. */
@inline
export function headerSound20(at: usize): bool {
  const a = load<u64>(at);
  const b = load<u64>(at, 8);
  const total = (a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + <u64>load<u32>(at + 16);
  return fold(total) == 0xffff;
}

/** Adds what an IPv4 or IPv6 pseudo header holds (RFC 9293 3.1, RFC 8200 8.1). */
export function pseudoHeader(network: usize, v6: bool, protocol: u32, length: u32): u64 {
  const addresses = v6 ? sum(network + 8, 32) : sum(network + 12, 8);
  return (
    addresses +
    <u64>bswap<u16>(<u16>protocol) +
    <u64>bswap<u16>(<u16>length) +
    <u64>bswap<u16>(<u16>(length >> 16))
  );
}

/** Zeroes `size` bytes, a multiple of 16: for small records a call of `memory.fill` costs more than the stores. */
@inline
export function clear(at: usize, size: usize): void {
  for (let i: usize = 0; i < size; i += 16) v128.store(at + i, v128.splat<u8>(0));
}
