/**
 * Two processes write into one file, and each sees at once what the other has written. Then one of them overwrites the other
 * without noticing it; with a check, it notices.
 *
 *     node examples/two-processes.ts
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { addressOf } from './address/address-of.ts'
import { correspond, type Letter } from './two-processes/correspond.ts'
import { openHousehold } from './two-processes/household.ts'
import { addBlindly, addWithCheck } from './two-processes/shopping-list.ts'

const last = 20
const path = addressOf('household')
await using db = await openHousehold(path, { destroyOnClose: true })
const { lists } = db.repositories

const program = fileURLToPath(new URL('./two-processes/neighbour.ts', import.meta.url))
const neighbour = fork(program, [path, String(last)])
const ended = once(neighbour, 'exit')

async function neighbourAdds(item: string): Promise<void> {
  neighbour.send(item)
  await once(neighbour, 'message')
}

async function shopping(): Promise<string> {
  const { value } = await lists.get('shopping')
  return value?.items.join(', ') ?? 'nothing'
}

try {
  const [letters, [lettersOfBob]] = await Promise.all([
    correspond(db, 'ada', last, true),
    once(neighbour, 'message') as Promise<[Letter[]]>,
  ])
  console.log(
    'Letters:',
    letters
      .slice(0, 4)
      .map(({ from }) => from)
      .join(', '),
    `… ${letters.length} in all`,
  )
  const rises = letters.every(({ versionstamp }, n) => n === 0 || versionstamp > letters[n - 1]!.versionstamp)
  console.log(`Each has a greater versionstamp than the one before: ${rises ? 'yes' : 'no'}`)
  const isSame = JSON.stringify(letters) === JSON.stringify(lettersOfBob)
  console.log(`Both processes saw the same letters in the same order: ${isSame ? 'yes' : 'no'}`)

  await lists.set('shopping', { items: ['tea'] })
  await addBlindly(db, 'shopping', 'salt', () => neighbourAdds('ink'))
  console.log(`Tea is on the list, the other adds ink, this one adds salt: ${await shopping()}`)

  await lists.set('shopping', { items: ['tea'] })
  const attempts = await addWithCheck(db, 'shopping', 'salt', () => neighbourAdds('ink'))
  console.log(`The same with a check, in ${attempts} attempts: ${await shopping()}`)
} finally {
  if (neighbour.connected) neighbour.disconnect()
  await ended
}
