import { Valkeyrie } from 'valkeyrie'
import { type Job, queue } from 'valkeyrie/queue'
import { expectTypeOf, it } from 'vitest'
import { z } from 'zod'

const mails = queue(
  'mails',
  z.object({
    to: z.string(),
    sendAt: z.codec(z.string(), z.date(), {
      decode: (text) => new Date(text),
      encode: (date) => date.toISOString(),
    }),
    tries: z.int().default(1),
  }),
)
const db = await Valkeyrie.withSchemas([...mails.definitions]).open()
const other = await Valkeyrie.open()

/** Checked by the compiler alone. */
const never = () => false as boolean

it('what is enqueued and scheduled is what the schema takes', async () => {
  if (never()) {
    await mails.enqueue(db, { to: 'ada', sendAt: '2026-01-01' })
    await mails.enqueue(
      db,
      { to: 'ada', sendAt: '2026-01-01', tries: 3 },
      { delay: 1, priority: 2, group: 'g', deduplicate: 'd' },
    )
    await mails.schedule(db, 'id', { cron: '@daily', payload: { to: 'ada', sendAt: '2026-01-01' } })
    // @ts-expect-error a text is missing
    await mails.enqueue(db, { sendAt: '2026-01-01' })
    // @ts-expect-error it is given as a text
    await mails.enqueue(db, { to: 'ada', sendAt: new Date() })
    // @ts-expect-error there is no such option
    await mails.enqueue(db, { to: 'ada', sendAt: '2026-01-01' }, { later: 1 })
    // @ts-expect-error misfire has three words
    await mails.schedule(db, 'id', { cron: '@daily', misfire: 'never', payload: { to: 'ada', sendAt: '' } })
    // @ts-expect-error a schedule has a payload
    await mails.schedule(db, 'id', { cron: '@daily' })
  }
})

it('a handler is given what the schema has made of it', async () => {
  if (never()) {
    mails.process(db, (job) => {
      expectTypeOf(job.payload).toEqualTypeOf<{ to: string; sendAt: Date; tries: number }>()
      expectTypeOf(job.attempt).toEqualTypeOf<number>()
      expectTypeOf(job.group).toEqualTypeOf<string | null>()
      expectTypeOf(job.signal).toEqualTypeOf<AbortSignal>()
    })
    for await (const job of mails.jobs(db)) {
      expectTypeOf(job).toExtend<Job<{ to: string; sendAt: Date; tries: number }>>()
      await job.complete(async (unit) => {
        expectTypeOf(unit.repositories.mails.get).toBeFunction()
      })
      expectTypeOf(await job.fail('why')).toEqualTypeOf<'retry' | 'dead'>()
    }
  }
})

it('its rows are repositories of the database that it is declared in', async () => {
  const { mailsDead, mailsSchedules } = db.repositories
  expectTypeOf((await mailsSchedules.get('id')).value?.next).toEqualTypeOf<number | null | undefined>()
  expectTypeOf((await mailsDead.get('id')).value?.payload.sendAt).toEqualTypeOf<Date | undefined>()
  // @ts-expect-error it was opened without the queue
  expectTypeOf(other.repositories.mails)
})
