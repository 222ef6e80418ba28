// Works on the jobs of schedules, and counts in the file how often each was done.
import { Valkeyrie } from 'valkeyrie'
import { ticks } from './ticks.ts'

const { path } = JSON.parse(process.argv[2]!) as { readonly path: string }
const db = await Valkeyrie.withSchemas([...ticks.definitions]).open(path)
ticks.process(db, (job) =>
  job.complete(async (unit) => {
    const { value } = await unit.get(['done', job.id])
    await unit.set(['done', job.id], ((value as number | null) ?? 0) + 1)
  }),
)
process.send!('works')
