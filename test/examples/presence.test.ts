import { expect, it } from 'vitest'
import { addLine, openRoom, stayIn, whoIsHere } from '../../examples/presence/room.ts'
import { stillClock } from '../still-clock.ts'
import { enginesOf, runExample } from './run-example.ts'

it.each(enginesOf('presence'))(
  'shows who comes, who leaves and who is killed, while all write into one document, on %s',
  async (engine) => {
    const output = await runExample('presence', engine)
    const names = ['Here: ada, bob, cleo', 'is killed', 'Here: bob, cleo', 'asked to leave', 'Here: nobody']
    const places = names.map((name) => output.lastIndexOf(name))
    expect(places).not.toContain(-1)
    expect(output).toContain('Together they wrote 15 lines.')
    expect(output.trimEnd().endsWith('Here: nobody')).toBe(true)
  },
)

it('loses no line of those that are added at once', async () => {
  await using room = await openRoom()
  await room.repositories.document.set({ lines: [] })
  const lines = Array.from({ length: 40 }, (_, n) => `line ${n}`)
  await Promise.all(lines.map((line) => addLine(room, line)))
  const { value } = await room.repositories.document.get()
  expect(value?.lines.toSorted()).toEqual(lines.toSorted())
})

it('reports a user who falls silent, but no heartbeats', async () => {
  const clock = stillClock()
  await using room = await openRoom()
  const { presence } = room.repositories
  const here = whoIsHere(room)
  expect((await here.next()).value).toEqual([])

  await presence.set('dead', { since: new Date() }, { expireIn: 60 })
  expect((await here.next()).value).toEqual(['dead'])

  const leave = new AbortController()
  const staying = stayIn(room, 'alive', leave.signal, { beat: 20, patience: 10_000 })
  expect((await here.next()).value).toEqual(['alive', 'dead'])
  clock.advance(60)
  expect((await here.next()).value).toEqual(['alive'])

  const signs = presence.watch('alive').getReader()
  const [first, second] = [await signs.read(), await signs.read()]
  expect(second.value?.versionstamp).not.toBe(first.value?.versionstamp)
  await signs.cancel()

  leave.abort()
  await staying
  expect((await here.next()).value).toEqual([])
  await here.return(undefined)
})
