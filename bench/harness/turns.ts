/**
 * Runs all lanes in turns: each round runs one after another and begins with the next one, so that whatever slows the machine down for a
 * while slows all of them. The first rounds warm up and do not count.
 */
export async function takeTurns(
  lanes: readonly ((counts: boolean) => Promise<unknown>)[],
  rounds: number,
  warmUps: number,
): Promise<void> {
  for (let round = 0; round < warmUps + rounds; round++) {
    for (let place = 0; place < lanes.length; place++) {
      await lanes[(round + place) % lanes.length]!(round >= warmUps)
    }
  }
}

/** What each lane gives in its turns, by the names of the lanes. */
export async function inTurns<Sample>(
  lanes: Readonly<Record<string, () => Promise<Sample>>>,
  rounds: number,
): Promise<Readonly<Record<string, readonly Sample[]>>> {
  const samples = Object.fromEntries(Object.keys(lanes).map((name): [string, Sample[]] => [name, []]))
  const turns = Object.entries(lanes).map(([name, lane]) => async (counts: boolean) => {
    const sample = await lane()
    if (counts) samples[name]!.push(sample)
  })
  await takeTurns(turns, rounds, 1)
  return samples
}

/** What each contender gives with each number of processes, in turns. */
export async function inTurnsOf<Name extends string, Sample>(
  contenders: readonly Name[],
  counts: readonly number[],
  rounds: number,
  lane: (contender: Name, count: number) => Promise<Sample>,
): Promise<(contender: Name, count: number) => readonly Sample[]> {
  const nameOf = (contender: Name, count: number) => `${contender}, ${count}`
  const lanes = counts.flatMap((count) =>
    contenders.map((contender) => [nameOf(contender, count), () => lane(contender, count)] as const),
  )
  const samples = await inTurns(Object.fromEntries(lanes), rounds)
  return (contender, count) => samples[nameOf(contender, count)]!
}
