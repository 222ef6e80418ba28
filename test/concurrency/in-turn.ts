import type { Valkeyrie } from 'valkeyrie'

type Db = Pick<Awaited<ReturnType<typeof Valkeyrie.open>>, 'set' | 'unitOfWork'>

export interface UnitInTurn {
  /** Lets it commit, and resolves with its end. */
  commit(): Promise<void>
  /** How often it has run. */
  readonly runs: number
}

/** A unit of work that was overtaken at `['n']` until it got its turn, and keeps it. It writes `['m']`. */
export async function unitInTurn(db: Db): Promise<UnitInTurn> {
  const inTurn = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let runs = 0
  const unit = db.unitOfWork(async (unit) => {
    await unit.get(['n'])
    if (++runs < 3) await db.set(['n'], runs)
    else {
      inTurn.resolve()
      await go.promise
    }
    await unit.set(['m'], runs)
  })
  await Promise.race([inTurn.promise, unit])
  return {
    commit() {
      go.resolve()
      return unit
    },
    get runs() {
      return runs
    },
  }
}
