/** A generator of numbers in [0, 1) that gives the same ones for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The seed to run with: `VALKEYRIE_SEED`, to run again what has failed, or a new one. */
export function seedOfThisRun(): number {
  const { VALKEYRIE_SEED = Math.floor(Math.random() * 2 ** 31) } = process.env
  return Number(VALKEYRIE_SEED)
}
