import { join } from 'node:path'
import { Valkeyrie } from 'valkeyrie'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Outcomes, Racer, Task } from '../harness/race.ts'
import { temporaryFolder } from '../harness/temporary-folder.ts'
import { formatRatio } from '../report/figures.ts'
import { suite } from '../report/suite.ts'
import { table } from '../report/table.ts'

const rows = 2_000
const sizes = [100, 1_000, 10_000]
const loads = { set: { n: rows }, get: { n: rows }, 'list, a row': { n: rows } }

export const checksums = suite({
  name: 'checksums',
  async measure(run) {
    const all: { readonly bytes: number; readonly outcomes: Outcomes }[] = []
    for (const bytes of sizes) {
      run.step(`values of ${bytes} bytes`)
      using temporary = temporaryFolder()
      await using without = await Valkeyrie.open(join(temporary.path, 'without.db'))
      await using checked = await Valkeyrie.open(join(temporary.path, 'with.db'), { checksums: true })
      const value = { text: 'x'.repeat(bytes - '{"text":""}'.length) }
      const racers = { without: tasksOf(without, value), 'with checksums': tasksOf(checked, value) }
      all.push({ bytes, outcomes: await run.race(racers, loads, run.fewerRounds) })
    }
    return all
  },
  report: (all) => [
    {
      title: 'Checksums of values',
      blocks: [
        'What a call takes in a file that was created with `checksums: true`, beside one without: the value is summed up when it is written, and again each time that it is read.',
        table(
          ['', 'bytes of a value', 'without', 'with checksums', 'ratio'],
          all.flatMap(({ bytes, outcomes }) =>
            Object.entries(outcomes).map(([task, of]) => {
              const [without, checked] = [of['without'], of['with checksums']]
              return [task, String(bytes), without, checked, formatRatio(checked, without)]
            }),
          ),
        ),
      ],
    },
  ],
})

/** Each task over all rows, one row a call but for the list. */
function tasksOf(db: Valkeyrie, value: object): Racer {
  const keys = Array.from({ length: rows }, (_, n) => ['rows', `row-${n}`])
  const onEach =
    (call: (key: string[]) => Promise<unknown>): Task =>
    () => ({
      async run() {
        for (const key of keys) await call(key)
      },
      verify: async () => expectEqual((await db.get(keys.at(-1)!)).value, value, 'the last value'),
    })
  return {
    set: onEach((key) => db.set(key, value)),
    get: onEach((key) => db.get(key)),
    'list, a row': () => {
      let listed: unknown[] = []
      return {
        run: async () => {
          listed = await Array.fromAsync(db.list({ prefix: ['rows'] }))
        },
        verify: () => expectEqual(listed.length, rows, 'rows'),
      }
    },
  }
}
