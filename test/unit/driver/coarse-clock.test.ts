import { Valkeyrie } from 'valkeyrie'
import { expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { temporaryFolder } from '../../temporary-folder.ts'

const path = temporaryFolder()

it('a query runs again where the clock says that it took no time', async () => {
  await using db = await Valkeyrie.withSchema(['people', '*'], z.object({ age: z.int() })).open(path())
  const { people } = db.repositories
  await people.set('ada', { age: 36 })
  onTestFinished(() => void vi.useRealTimers())
  vi.useFakeTimers({ toFake: ['performance'] })
  for (let run = 0; run < 3; run++)
    expect(await people.findMany({ where: { age: { gt: 0 } } })).toMatchObject([{ id: 'ada' }])
})
