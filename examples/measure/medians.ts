/** What is timed. What it resolves to is called after the clock has stopped: to check, or to make ready for the next round. */
export type Timed = () => Promise<() => unknown>

/**
 * What each of these takes in its middle round, in milliseconds. A round runs all of them in turn, and the next round
 * begins with the next one, so that whatever slows the machine down for a while slows all of them. The first round warms
 * up and does not count.
 */
export async function medians(
  tasks: Readonly<Record<string, Timed>>,
  rounds: number,
): Promise<Record<string, number>> {
  const runs = Object.entries(tasks).map(([name, run]) => ({ name, run, times: [] as number[] }))
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < runs.length; turn++) {
      const { run, times } = runs[(round + turn) % runs.length]!
      const start = performance.now()
      const afterwards = await run()
      const taken = performance.now() - start
      await afterwards()
      if (round > 0) times.push(taken)
    }
  }
  return Object.fromEntries(
    runs.map(({ name, times }) => [name, times.toSorted((a, b) => a - b)[rounds >> 1]!]),
  )
}
