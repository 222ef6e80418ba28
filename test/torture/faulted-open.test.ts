import { join } from 'node:path'
import { expect, it } from 'vitest'
import { seedOfThisRun } from '../concurrency/random.ts'
import { temporaryFolder } from '../concurrency/temporary-folder.ts'
import { Faults } from './file-calls/faults.ts'
import { preloaded, preloadObstacle } from './file-calls/preload.ts'
import { Program } from './program.ts'

/** All calls take too long for the tests: `1` tries each. */
const stride = 5

it('an open whose calls on the files fail is a DatabaseOpenError, a handle goes on, and the next open succeeds', async () => {
  const obstacle = preloadObstacle()
  if (obstacle !== undefined) return void console.log(`Left out: ${obstacle}`)
  const folder = temporaryFolder()
  const [path, control] = [join(folder, 'data.db'), join(folder, 'faults')]
  Faults.makeFile(control)
  const seed = seedOfThisRun()
  const args = { path, control, first: 1 + (seed % stride), stride }
  using program = new Program('faulted-open', args, preloaded(folder, { path, faults: control }))
  expect(await program.ended).toBe(0)
  console.log(`seed ${seed}: ${program.lines.join(' times failed, ')} times failed`)
  for (const line of program.lines) expect(Number(line.split(' ').at(-1))).toBeGreaterThan(0)
  expect(program.lines).toHaveLength(6)
})
