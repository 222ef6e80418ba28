import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { startChild } from '../../bench/harness/child.ts'
import { isTiming, race, type Task, warmUps } from '../../bench/harness/race.ts'
import { inTurnsOf } from '../../bench/harness/turns.ts'
import type { Relay } from '../../bench/programs/relay.ts'

const nothing = { run() {}, verify() {} }

afterEach(() => vi.restoreAllMocks())

it('lets the racers take turns, beginning with another one each round', async () => {
  const order: string[] = []
  const racer = (name: string) => {
    const go = () => {
      order.push(name)
      return nothing
    }
    return { go }
  }
  const racers = { a: racer('a'), b: racer('b'), c: racer('c') }
  await race(racers, { go: { n: 1 } }, { rounds: 4 - warmUps })
  expect(order.join(' ')).toBe('a b c b c a c a b a b c')
})

it('times what runs, not what goes before and comes after', async () => {
  const steps: string[] = []
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => {
    steps.push('clock')
    return 0n
  })
  const task: Task = () => {
    steps.push('prepare')
    return { run: () => void steps.push('run'), verify: () => void steps.push('verify') }
  }
  await race({ a: { go: task } }, { go: { n: 1 } }, { rounds: 1 })
  expect(steps.slice(-5)).toEqual(['prepare', 'clock', 'run', 'clock', 'verify'])
})

it('leaves out contenders without the task or with a wrong answer, and says why', async () => {
  const wrong = () => ({
    run() {},
    verify() {
      throw new Error('wrong answer')
    },
  })
  const racers = {
    right: { go: () => nothing },
    wrong: { go: wrong },
    rejecting: { go: () => ({ ...nothing, run: () => Promise.reject(new Error('no')) }) },
    idle: {},
  }
  const { go } = await race(racers, { go: { n: 1 } }, { rounds: 3 })
  const { right, ...others } = go!
  expect(isTiming(right)).toBe(true)
  expect(others).toEqual({ wrong: { failure: 'wrong answer' }, rejecting: { failure: 'no' } })
})

it('gives slow contenders fewer operations, down to a minimum, or all the same number without a minimum', async () => {
  let now = 0n
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => now)
  const taking = (milliseconds: number) => {
    const asked: number[] = []
    const go = (n: number) => {
      asked.push(n)
      return {
        ...nothing,
        run() {
          now += BigInt(n * milliseconds * 1e6)
        },
      }
    }
    return { asked, racer: { go } }
  }
  const [fast, slow, slowest] = [taking(0.001), taking(2), taking(50)]
  const racers = { fast: fast.racer, slow: slow.racer, slowest: slowest.racer }
  await race(racers, { go: { n: 1_000, least: 5 } }, { rounds: 1, turn: 40 })
  expect(fast.asked).toEqual([5, 5, ...Array(warmUps + 1).fill(1_000)])
  expect(slow.asked).toEqual([5, 5, ...Array(warmUps + 1).fill(20)])
  expect(slowest.asked).toEqual([5, 5, ...Array(warmUps + 1).fill(5)])

  slow.asked.length = 0
  await race(racers, { go: { n: 7 } }, { rounds: 1, turn: 1 })
  expect(slow.asked).toEqual(Array(warmUps + 1).fill(7))
})

it('stops asking a racer that has spent enough, after three rounds that count', async () => {
  let turns = 0
  const go = () => {
    turns++
    return nothing
  }
  await race({ a: { go } }, { go: { n: 1 } }, { rounds: 20, enough: 0 })
  expect(turns).toBe(warmUps + 3)
})

const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
afterAll(() => server.close())

it('calls the functions of a program in a process of its own, and says when it has ended', async () => {
  using relay = await startChild<Relay>('relay')
  const { port } = server.address() as { port: number }
  const relayed = connect(await relay.call('listen', `tcp://127.0.0.1:${port}`, 1), '127.0.0.1')
  relayed.write('echo')
  expect(String(await once(relayed, 'data'))).toBe('echo')
  relayed.destroy()
  relay[Symbol.dispose]()
  await expect(relay.call('listen', 'nobody', 1)).rejects.toThrow('the program relay has ended (SIGTERM)')
})

it('gives every contender and number of processes its turns, the first of which does not count', async () => {
  const order: string[] = []
  const samples = await inTurnsOf(['a', 'b'], [1, 2], 2, async (name, count) => order.push(`${name}${count}`))
  expect(order.join(' ')).toBe('a1 b1 a2 b2 b1 a2 b2 a1 a2 b2 a1 b1')
  expect(samples('a', 1)).toEqual([8, 11])
  expect(samples('b', 2)).toEqual([7, 10])
})
