import { afterAll, expect, it } from 'vitest'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { temporaryFolder } from '../concurrency/temporary-folder.ts'
import { TrialBudget } from './attack.ts'
import { attacks } from './attacks.ts'
import { endAttackedServer } from './server.ts'

/** Milliseconds for the trials of an attack: `npm run torture` takes longer. */
const time = 500

afterAll(endAttackedServer)

it.each(attacks)('$name: $promise', async (attack) => {
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
