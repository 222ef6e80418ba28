import type { Database, UnitOfWork } from 'valkeyrie'

type Unit = UnitOfWork<readonly []>

/** A unit of work that awaits `step` before each thing that it does, and once more before it returns. */
export interface SteppedUnit<T> {
  readonly db: Pick<Database, 'unitOfWork'>
  readonly run: (unit: Unit, step: () => Promise<void>) => Promise<T>
}

export interface Ran<T> {
  /** How often the function was run. */
  readonly attempts: number
  readonly result: T | undefined
  readonly error: unknown
}

/**
 * Runs units of work whose steps alternate exactly as `order` names them: `'abba'` lets `a` take a step, `b` its two, then
 * `a` its last. A unit's last step is its commit. A function that runs again waits until the order is finished.
 */
export async function interleave<Names extends string, T>(
  order: string,
  units: Record<Names, SteppedUnit<T>>,
): Promise<Record<Names, Ran<T>>> {
  const through = Promise.withResolvers<void>()
  const running = Object.entries<SteppedUnit<T>>(units).map(([name, unit]) =>
    start(name, unit, through.promise),
  )
  for (const name of order) await running.find((unit) => unit.name === name)!.takeStep()
  through.resolve()
  const ran = await Promise.all(running.map(async (unit) => [unit.name, await unit.ended] as const))
  return Object.fromEntries(ran) as Record<Names, Ran<T>>
}

function start<T>(name: string, { db, run }: SteppedUnit<T>, through: Promise<void>) {
  let attempts = 0
  let free = false
  let arrival = Promise.withResolvers<void>()
  let release = Promise.withResolvers<void>()
  const letGo = () => {
    free = true
    arrival.resolve()
  }
  const step = async () => {
    if (attempts > 1) return
    release = Promise.withResolvers()
    arrival.resolve()
    await release.promise
  }
  const work = async (unit: Unit) => {
    attempts += 1
    if (attempts > 1) {
      letGo()
      await through
    }
    return run(unit, step)
  }
  const ended = db.unitOfWork(work).then(
    (result) => ({ attempts, result, error: undefined }),
    (error: unknown) => ({ attempts, result: undefined, error }),
  )
  ended.then(letGo)
  return {
    name,
    ended,
    async takeStep() {
      await arrival.promise
      if (free) return
      arrival = Promise.withResolvers()
      release.resolve()
      await arrival.promise
    },
  }
}
