export const KEYS_MAX = 65536;
