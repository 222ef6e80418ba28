import { expect, it } from 'vitest'
import { SharedWatch, type WatchedState } from '../../../src/broadcast/shared-watch.ts'
import { Subscription } from '../../../src/broadcast/subscription.ts'
import { waitFor } from '../../waiting.ts'

const oneTurn = () => new Promise((resolve) => setImmediate(resolve))

/** As many turns as a watch may take for a step: it pauses for one where the work of this process was long, before it too. */
async function turn(): Promise<void> {
  for (let n = 0; n < 4; n++) await oneTurn()
}

/** Many readers are told in several turns if the machine is slow. */
function turnsUntil(what: string, isSo: () => boolean): Promise<void> {
  const turns = async () => {
    while (!isSo()) await oneTurn()
  }
  return waitFor(what, turns())
}

/** A reader that notes what it gets. */
function reader(given: string | null = null) {
  const told: unknown[] = []
  const waiting = {
    given,
    place: -1,
    isWanted: true,
    give: ({ shown }: { readonly shown: unknown }) => told.push(shown),
    fail: (error: unknown) => told.push(error),
    letGo: () => told.push('let go'),
  }
  return { told, waiting }
}

/** A watch whose reads end when the test says so. */
function watch() {
  const looks: PromiseWithResolvers<WatchedState<string>>[] = []
  const subscription = new Subscription(
    () => Date.now(),
    () => {},
  )
  const shared = new SharedWatch<string>({
    subscribe: async () => subscription,
    look: () => {
      looks.push(Promise.withResolvers())
      return looks.at(-1)!.promise
    },
  })
  return { shared, looks }
}

const state = (shown: string): WatchedState<string> => ({ token: shown, shown, expiry: null })

it('gives a reader that starts waiting during a look the next look, not the current one', async () => {
  const { shared, looks } = watch()
  const [early, late] = [reader(), reader()]
  shared.wait(early.waiting)
  await turn()
  shared.wait(late.waiting)
  looks[0]!.resolve(state('before'))
  await turn()
  expect([early.told, late.told]).toEqual([['before'], []])
  expect(looks).toHaveLength(2)
  looks[1]!.resolve(state('after'))
  await turn()
  expect([early.told, late.told]).toEqual([['before'], ['after']])
})

it('fails the readers of a failed look, and looks again for those who came meanwhile', async () => {
  const { shared, looks } = watch()
  const [early, late] = [reader(), reader()]
  shared.wait(early.waiting)
  await turn()
  shared.wait(late.waiting)
  const error = new Error('of the look')
  looks[0]!.reject(error)
  await turn()
  expect([early.told, late.told]).toEqual([[error], []])
  looks[1]!.resolve(state('after'))
  await turn()
  expect(late.told).toEqual(['after'])
})

it('starts again for a reader that waits again while it is called, from the later state', async () => {
  let ended = 0
  const looks: PromiseWithResolvers<WatchedState<string>>[] = []
  const subscriptions: Subscription[] = []
  const shared = new SharedWatch<string>({
    async subscribe() {
      subscriptions.push(
        new Subscription(
          () => Date.now(),
          () => ended++,
        ),
      )
      return subscriptions.at(-1)!
    },
    look() {
      looks.push(Promise.withResolvers())
      return looks.at(-1)!.promise
    },
  })
  const again = reader('before')
  const first = reader()
  shared.wait({
    ...first.waiting,
    give(state) {
      first.waiting.give(state)
      shared.wait(again.waiting)
    },
  })
  await turn()
  looks[0]!.resolve(state('before'))
  await turn()
  expect(first.told).toEqual(['before'])
  looks[1]!.resolve(state('before'))
  await turn()
  expect([again.told, subscriptions.length - ended]).toEqual([[], 1])
  subscriptions.at(-1)!.wake()
  await turn()
  looks[2]!.resolve(state('after'))
  await turn()
  expect([again.told, subscriptions.length - ended]).toEqual([['after'], 0])
})

it('looks once for all who wait again in the turn in which they were told', async () => {
  const { shared, looks } = watch()
  const readers = Array.from({ length: 10 }, (_, depth) => {
    const { told, waiting } = reader()
    const again = async (count: number) => {
      for (let i = 0; i < count; i++) await undefined
      shared.wait(one)
    }
    const one = {
      ...waiting,
      given: null as string | null,
      give(given: { readonly token: string; readonly shown: string }) {
        one.given = given.token
        waiting.give(given)
        void again(depth)
      },
    }
    shared.wait(one)
    return { told, one }
  })
  await turn()
  looks[0]!.resolve(state('first'))
  await turnsUntil('a second look', () => looks.length >= 2)
  expect(looks).toHaveLength(2)
  looks[1]!.resolve(state('second'))
  await turnsUntil('the second state', () => readers.every(({ told }) => told.length === 2))
  expect(readers.map(({ told }) => told)).toEqual(readers.map(() => ['first', 'second']))
})

it('keeps those who have the state waiting, and lets go of who does not want it any more', async () => {
  const { shared, looks } = watch()
  const [has, hasNot, gone] = [reader('state'), reader('before'), reader('before')]
  for (const { waiting } of [has, hasNot, gone]) shared.wait(waiting)
  await turn()
  gone.waiting.isWanted = false
  shared.release(gone.waiting)
  looks[0]!.resolve(state('state'))
  await turn()
  expect([has.told, hasNot.told, gone.told]).toEqual([[], ['state'], ['let go']])
  has.waiting.isWanted = false
  shared.release(has.waiting)
  expect(has.told).toEqual(['let go'])
})

it('lets go of each of many that wait, in any order, and tells the others once', async () => {
  const { shared, looks } = watch()
  const [early, late] = [
    Array.from({ length: 3 }, () => reader('state')),
    Array.from({ length: 5 }, () => reader('state')),
  ]
  const leave = (...leaving: readonly ReturnType<typeof reader>[]) => {
    for (const { told, waiting } of leaving) {
      waiting.isWanted = false
      shared.release(waiting)
      shared.release(waiting)
      expect(told).toEqual(['let go'])
    }
  }
  for (const { waiting } of early) shared.wait(waiting)
  await turn()
  for (const { waiting } of late) shared.wait(waiting)
  leave(early[0]!, early[2]!, late[0]!, late[4]!)
  looks[0]!.resolve(state('state'))
  await turnsUntil('a second look', () => looks.length >= 2)
  looks[1]!.resolve(state('state'))
  await turn()
  leave(late[3]!, early[1]!)
  const again = reader('before')
  shared.wait(again.waiting)
  await turnsUntil('a third look', () => looks.length >= 3)
  looks[2]!.resolve(state('new'))
  await turnsUntil('the new state', () => again.told.length > 0)
  expect([again, late[1]!, late[2]!].map(({ told }) => told)).toEqual([['new'], ['new'], ['new']])
})
