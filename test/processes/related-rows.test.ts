import { once } from 'node:events'
import { Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { extent } from '../extent.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { start } from './child.ts'

const path = temporaryFolder()
const value = z.object({ n: z.int() })

it('rows and those related to them are of one state, whatever another process commits', async () => {
  const file = path()
  await using db = await Valkeyrie.withSchema(['parents', '*'], value)
    .withSchema(['parents', '*', 'children', '*'], value, { name: 'children' })
    .open(file)
  const child = start('write-families', file)
  onTestFinished(async () => {
    child.process.kill('SIGKILL')
    await child.ended
  })
  await once(child.process.stdout!, 'data')
  const { parents } = db.repositories
  const seen = new Set<number>()
  const least = extent('reads', 1_000, 3_000)
  for (let reads = 0; reads < least || seen.size <= 10; reads++) {
    const query = { with: { children: true } } as const
    const [parent] = reads % 2 === 0 ? await parents.findMany(query) : (await parents.findPage(query)).entries
    const numbers = [parent!, ...parent!.children].map(({ value: { n } }) => n)
    expect(numbers).toEqual(Array(3).fill(numbers[0]))
    seen.add(numbers[0]!)
  }
})

it('every result of a live query is of one state, whatever two other processes commit', async () => {
  const file = path()
  await using db = await Valkeyrie.withSchema(['parents', '*'], value)
    .withSchema(['parents', '*', 'children', '*'], value, { name: 'children' })
    .open(file)
  const writers = [start('write-families', file), start('write-families', file)]
  onTestFinished(async () => {
    for (const writer of writers) writer.process.kill('SIGKILL')
    await Promise.all(writers.map(({ ended }) => ended))
  })
  await Promise.all(writers.map((writer) => once(writer.process.stdout!, 'data')))
  const wanted = extent('results', 100, 300)
  let results = 0
  for await (const [parent] of db.repositories.parents.watchMany({ with: { children: true } })) {
    const numbers = [parent!, ...parent!.children].map(({ value: { n } }) => n)
    expect(numbers).toEqual(Array(3).fill(numbers[0]))
    if (++results === wanted) break
  }
})
