// Attacks a store for a while, or this many times: npm run torture -- [--minutes N | --trials N] [--seed S] [--only WORD]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { randomOf, seedOfThisRun } from '../concurrency/random.ts'
import { type Attack, TrialBudget } from './attack.ts'
import { attacks as shortAttacks } from './attacks.ts'
import { fullLength } from './full-length.ts'
import { onPostgres } from './on-postgres.ts'
import { endAttackedServer } from './server.ts'

/** Once takes minutes. */
const long: readonly Attack[] = [fullLength, onPostgres]
const attacks = [...shortAttacks, ...long]
const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    trials: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
})
const minutes = Number(values.minutes ?? 5)
/** Of each attack, in place of a time. */
const trials = values.trials === undefined ? undefined : Number(values.trials)
const seed = Number(values.seed ?? seedOfThisRun())
const chosen = attacks.filter(({ name }) => name.includes(values.only ?? ''))
/** Why an attack is not tried in this run. */
const obstacleOf = (attack: Attack) =>
  long.includes(attack) && trials === undefined && values.only === undefined && minutes < 5
    ? 'once takes minutes: ask for 5 or more, or for it alone'
    : attack.obstacle?.()
const isCountable = trials === undefined || (Number.isSafeInteger(trials) && trials > 0)
if (!(minutes > 0) || !isCountable || !Number.isSafeInteger(seed) || chosen.length === 0) {
  console.error(
    '--minutes is a number above 0, --trials a whole number above 0, --seed a whole number, --only a word of the name of an attack:',
  )
  for (const { name } of attacks) console.error(`  ${name}`)
  process.exit(2)
}

const obstacles = new Map<Attack, string>()
for (const attack of chosen) {
  const obstacle = await obstacleOf(attack)
  if (obstacle !== undefined) obstacles.set(attack, obstacle)
}
const able = chosen.filter((attack) => !obstacles.has(attack))
const milliseconds = (minutes * 60_000) / able.length
const each = trials === undefined ? `${(milliseconds / 1_000).toFixed(1)} s` : `${trials} trials`
console.log(`Seed ${seed}. ${able.length} attacks, ${each} each.`)
for (const [{ name }, reason] of obstacles) console.log(`  left out   ${name}: ${reason}`)

/** Whether the store has kept its promise. */
async function attackOnce({ name, promise, run }: Attack, attackSeed: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'valkeyrie-torture-'))
  const budget = trials === undefined ? new TrialBudget(milliseconds) : new TrialBudget(0, trials)
  try {
    const counted = await run({ random: randomOf(attackSeed), folder, another: budget.another })
    const facts = Object.entries(counted).map(([what, count]) => `, ${count} ${what}`)
    console.log(`  kept       ${name}: ${budget}${facts.join('')}`)
    rmSync(folder, { recursive: true })
    return true
  } catch (error) {
    console.log(`  BROKEN     ${name}: "${promise}", after ${budget}, files in ${folder}`)
    console.error(error)
    return false
  }
}

let broken = 0
// An attack's numbers do not depend on which others run.
for (const attack of able) if (!(await attackOnce(attack, seed + attacks.indexOf(attack)))) broken += 1
await endAttackedServer()
if (broken > 0) {
  const limit = trials === undefined ? `--minutes ${minutes}` : `--trials ${trials}`
  console.error(`${broken} of ${able.length} broken. Again: npm run torture -- ${limit} --seed ${seed}`)
  process.exitCode = 1
}
