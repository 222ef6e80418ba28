import { checksum } from '../harness/checksum.ts'
import { expectEqual } from '../harness/expect-equal.ts'
import type { Task } from '../harness/task.ts'
import type { GrowingStore } from './growing-store.ts'
import type { People } from './people.ts'
import { type GrowthTask, listedRows, pageRows } from './tasks.ts'

/** The tasks of a store that holds these people. Each turn goes on where the last one stopped. */
export function tasksOf(store: GrowingStore, people: People): Record<GrowthTask, Task> {
  let turns = 0
  const places = (n: number, behind = 0) => {
    const from = turns++ * n
    return Array.from({ length: n }, (_, i) => people.read(from + i, behind))
  }

  /** Asks once for each place, and compares the scores found there and their order. */
  const asking =
    <Asked>(
      behind: number,
      askedAt: (place: number) => Asked,
      ask: (asked: Asked) => ReturnType<GrowingStore['page']>,
      scoresAt: (place: number) => readonly number[],
    ): Task =>
    (n) => {
      const chosen = places(n, behind)
      const asked = chosen.map(askedAt)
      const found: number[] = []
      return {
        async run() {
          for (const one of asked) {
            const answer = ask(one)
            const people = answer instanceof Promise ? await answer : answer
            found.push(checksum(people.map(({ value }) => value?.score ?? Number.NaN)))
          }
        },
        verify: () =>
          expectEqual(
            found,
            chosen.map((place) => checksum(scoresAt(place))),
            'scores',
          ),
      }
    }

  return {
    get(n) {
      const chosen = places(n)
      const ids = chosen.map((index) => people.idAt(index))
      const scores: (number | undefined)[] = []
      return {
        async run() {
          for (const id of ids) {
            const answer = store.get(id)
            scores.push((answer instanceof Promise ? await answer : answer)?.value?.score)
          }
        },
        verify: () =>
          expectEqual(
            scores,
            chosen.map((index) => people.at(index).score),
            'scores',
          ),
      }
    },
    'indexed page of 20': asking(
      pageRows,
      (place) => people.scores(place, 1)[0]!,
      store.page,
      (place) => people.scores(place, pageRows),
    ),
    'list page of 100': asking(
      listedRows,
      (index) => people.idAt(index),
      store.list,
      (index) => Array.from({ length: listedRows }, (_, i) => people.at(index + i).score),
    ),
    set(n) {
      const chosen = places(n)
      const entries = chosen.map((index) => {
        return [people.idAt(index), { ...people.at(index), age: 100 + turns }] as const
      })
      return {
        async run() {
          for (const [id, person] of entries) {
            const done = store.set(id, person)
            if (done instanceof Promise) await done
          }
        },
        async verify() {
          for (const [id, person] of entries) {
            expectEqual((await store.get(id))?.value, person, `${id} as it was set`)
          }
        },
      }
    },
  }
}
