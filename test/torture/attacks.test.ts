import { afterAll, expect, it } from 'vitest'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { temporaryFolder } from '../concurrency/temporary-folder.ts'
import { inTurn } from '../extent.ts'
import { TrialBudget } from './attack.ts'
import { attacks } from './attacks.ts'
import { endAttackedServer } from './server.ts'
import { serverSoaks } from './server-soaks.ts'

/** Milliseconds for the trials of an attack: `npm run torture` takes longer. */
const time = 500

/** An attack on a server takes many seconds on a slow machine: `npm run torture` runs all of them, however short it is. */
const soaks = inTurn('attacks on PostgreSQL', serverSoaks, serverSoaks.length)
const chosen = attacks.filter((attack) => !serverSoaks.includes(attack) || soaks.includes(attack))

afterAll(endAttackedServer)

it.each(chosen)('$name: $promise', async (attack) => {
  const obstacle = await attack.obstacle?.()
  if (obstacle !== undefined) return void console.log(`${attack.name} is left out: ${obstacle}`)
  const seed = seedOfThisRun()
  const budget = new TrialBudget(time)
  const trials = { random: randomOf(seed), folder: temporaryFolder(), another: budget.another }
  const counted = await attack.run(trials).catch((error) => {
    throw new Error(`after ${budget}, VALKEYRIE_SEED=${seed}`, { cause: error })
  })
  console.log(`${attack.name}: ${budget}, ${JSON.stringify(counted)}, seed ${seed}`)
  expect(Object.values(counted)).not.toContain(0)
})
