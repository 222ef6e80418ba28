/** The limits of Deno KV. */
export const limits = {
  writtenKeyBytes: 2_048,
  readKeyBytes: 2_049,
  valueBytes: 65_536,
  checks: 100,
  mutations: 1_000,
  ranges: 10,
  entries: 1_000,
  watchedKeys: 10,
  keysIfUndelivered: 10,
  writtenBytes: 819_200,
  writtenKeysBytes: 81_920,
} as const

/** Throws a TypeError, in Deno's words, if there is more than allowed. */
export function checkMost(found: number, most: number, words: string, unit = ''): void {
  if (found > most) throw new TypeError(`${words} (max ${most}${unit})`)
}
