// Works on jobs until it is killed: the processes of queue-kills.ts.
import { setTimeout as delay } from 'node:timers/promises'
import { patient } from '../../waiting.ts'
import { schemas, work } from './job-queue.ts'

const { path } = JSON.parse(process.argv[2]!) as { readonly path: string }
const db = await schemas.open(path, patient)
process.stdout.write('ready\n')

const worker = work.process(db, async (job) => {
  const { n, group } = job.payload
  await delay(Math.random() * 3)
  if (n % 7 === 0 && job.attempt === 1) throw new Error('The first attempt fails')
  await job.complete(async ({ repositories: { effects, logs } }) => {
    const { value } = await effects.get(String(n))
    await effects.set(String(n), { times: (value?.times ?? 0) + 1 })
    if (group === null) return
    const log = await logs.get(group)
    await logs.set(group, [...(log.value ?? []), n])
  })
})
await worker.ended
