import { writeFileSync } from 'node:fs'
import { Valkeyrie } from 'valkeyrie'
import { expect, it } from 'vitest'
import { startChild } from '../concurrency/child.ts'
import { newAddress } from '../engine-of-project.ts'
import { sharedAddresses } from '../shared-addresses.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { waitUntil } from '../waiting.ts'
import { ticks } from './programs/ticks.ts'

const newPath = temporaryFolder()
const sharedAddress = sharedAddresses()
const open = (path: string) => Valkeyrie.withSchemas([...ticks.definitions]).open(path)

it('each occurrence of each schedule is done once over all processes, one of which is killed', async () => {
  const path = sharedAddress()
  await using db = await open(path)
  const zones = ['UTC', 'Europe/Paris', 'Asia/Kolkata', 'Pacific/Auckland']
  const first = new Map<string, number>()
  // A server does as many a second only if it has a machine to itself.
  const schedules = newAddress() === undefined ? 40 : 8
  for (let n = 0; n < schedules; n++) {
    const id = `s${n}`
    const schedule = { cron: '* * * * * *', timeZone: zones[n % 4]!, misfire: 'all', payload: { n } } as const
    await ticks.schedule(db, id, schedule)
    first.set(id, (await db.repositories.ticksSchedules.get(id)).value!.next!)
  }
  const done = async () => {
    const entries = await Array.fromAsync(db.list({ prefix: ['done'] }))
    return entries.map(({ key, value }) => [String(key[1]), value] as const)
  }
  const rounds = (count: number) =>
    waitUntil(`${count} rounds`, async () => (await done()).length >= count * first.size)

  const [killed, ...others] = [1, 2, 3].map(() => startChild('queue/programs/worker.ts', { path }))
  await Promise.all([killed!, ...others].map((child) => child.message()))
  await rounds(2)
  killed!.process.kill('SIGKILL')
  await killed!.ended
  await rounds(4)
  for (const id of first.keys()) await ticks.unschedule(db, id)
  await waitUntil('the end', async () => (await db.repositories.ticks.count()) === 0)
  for (const { process } of others) process.kill('SIGKILL')

  const found = await done()
  expect(found.filter(([, times]) => times !== 1)).toEqual([])
  for (const [id, since] of first) {
    const occurrences = found.flatMap(([job]) =>
      job.startsWith(`${id}@`) ? [Date.parse(job.split('@')[1]!)] : [],
    )
    // Every second from the first one on: none is left out.
    expect(occurrences.toSorted((a, b) => a - b)).toEqual(occurrences.map((_, i) => since + i * 1_000))
    expect(occurrences.length).toBeGreaterThan(0)
  }
})

it('a worker blocked for longer than its lease loses the job, and what it would write', async () => {
  const path = sharedAddress()
  const until = newPath('until')
  await using db = await open(path)
  await ticks.enqueue(db, { n: 1 })
  const blocked = startChild('queue/programs/blocked.ts', { path, until })
  expect(await blocked.message()).toBe('taken')
  const attempts: number[] = []
  await using _ = ticks.process(db, async (job) => {
    attempts.push(job.attempt)
    await job.complete((unit) => unit.set(['effect'], 'of the next one'))
  })
  await waitUntil('the end', async () => (await db.repositories.ticks.count()) === 0)
  writeFileSync(until, '')
  expect(await blocked.message()).toEqual({ failure: 'LeaseLostError', isAborted: true })
  await blocked.ended
  expect([attempts, (await db.get(['effect'])).value]).toEqual([[2], 'of the next one'])
})
