import { createHook } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { WatchHub } from '../../../src/broadcast/hub.ts'
import type { Driver, StoredRow } from '../../../src/driver/driver.ts'
import { lookForCommits } from '../../../src/driver/look-for-commits.ts'
import { encodeKey } from '../../../src/key/codec.ts'
import { KeyWatch } from '../../../src/watch/key-watch.ts'
import { SharedReader } from '../../../src/watch/shared-reader.ts'
import { type Receiver, watchStream } from '../../../src/watch/watch-stream.ts'
import { waitUntil } from '../../waiting.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function open(getMany: () => Promise<(StoredRow | null)[]> = async () => [null]) {
  const driver = {
    read: getMany as Driver['read'],
    latestVersion: async () => 0,
    follow: (_since: number, signal: AbortSignal) => lookForCommits(() => null, signal),
  } as Partial<Driver> as Driver
  const hub = new WatchHub(driver)
  const watch = (signal?: AbortSignal) =>
    watchStream(
      hub,
      new SharedReader(
        hub.shared.named('a', () => new KeyWatch(driver, hub, [encodeKey(['a'])])),
        (rows) => rows.length,
      ),
      signal,
    )
  return { hub, watch }
}

it('nothing is left after cancel, abort, an error and close', async () => {
  const { hub, watch } = open()
  const controller = new AbortController()
  const [cancelled, aborted, closed] = [watch(), watch(controller.signal), watch()].map((it) =>
    it.getReader(),
  )
  const reads = []
  for (const reader of [cancelled!, aborted!, closed!]) {
    await reader.read()
    reads.push(reader.read())
  }
  await waitUntil('the reads to be under way', () => hub.size === 1)
  expect(hub.streams.size).toBe(3)
  await cancelled!.cancel()
  controller.abort()
  expect(hub.streams.size).toBe(1)
  hub.close()
  expect(await Promise.all(reads)).toEqual(Array(3).fill({ done: true, value: undefined }))
  await waitUntil('the subscriptions to end', () => hub.size === 0)
  expect(hub.streams.size).toBe(0)

  const failing = open(() => Promise.reject(new Error('disk')))
  await expect(failing.watch().getReader().read()).rejects.toThrow('disk')
  expect([failing.hub.size, failing.hub.streams.size]).toEqual([0, 0])
})

it('nothing is read, and nobody subscribed, while nobody reads', async () => {
  const getMany = vi.fn(async () => [null])
  const { hub, watch } = open(getMany)
  const reader = watch().getReader()
  expect(getMany).not.toHaveBeenCalled()
  await reader.read()
  expect(getMany).toHaveBeenCalledTimes(1)
  expect(hub.size).toBe(0)
})

it('streams that were dropped silently are forgotten', async () => {
  const { hub, watch } = open()
  const dropMany = async () => {
    for (let i = 0; i < 1_000; i++) await watch().getReader().read()
  }
  await dropMany()
  await waitUntil('the streams to be forgotten', () => {
    collectGarbage()
    return hub.streams.size < 100
  })
  await waitUntil('what they shared to be forgotten', () => {
    collectGarbage()
    return hub.shared.size === 0
  })
})

it('streams that were dropped silently are forgotten by a signal that lives on, and a signal by its streams', async () => {
  const { hub, watch } = open()
  const program = new AbortController()
  const composed: WeakRef<AbortSignal>[] = []
  const dropMany = async () => {
    for (let i = 0; i < 1_000; i++) {
      watch(program.signal)
      const signal = AbortSignal.any([program.signal, new AbortController().signal])
      composed.push(new WeakRef(signal))
      await watch(signal).getReader().read()
    }
  }
  await dropMany()
  await waitUntil('the streams to be forgotten', () => {
    collectGarbage()
    return hub.streams.size < 100
  })
  await waitUntil('the composed signals to be collected', () => {
    collectGarbage()
    return composed.filter((signal) => signal.deref() !== undefined).length < 100
  })
  const last = watch(program.signal).getReader()
  program.abort()
  expect(await last.read()).toEqual({ done: true, value: undefined })
})

it('all streams of a signal end with it, and none leaves a listener', async () => {
  const { watch } = open()
  const controller = new AbortController()
  const { signal } = controller
  const [one, another, third] = [watch(signal), watch(signal), watch(signal)].map((it) => it.getReader())
  expect(getEventListeners(signal, 'abort')).toHaveLength(3)
  for (const reader of [one!, another!, third!]) await reader.cancel()
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  const later = [watch(signal), watch(signal)].map((it) => it.getReader())
  controller.abort()
  expect(await Promise.all(later.map((reader) => reader.read()))).toEqual(
    Array(2).fill({ done: true, value: undefined }),
  )
})

it('asks for one item at a time, and again for a reader that came while another was released', async () => {
  const receivers: Receiver<number>[] = []
  const source = { next: (receiver: Receiver<number>) => void receivers.push(receiver), wake() {} }
  const stream = watchStream(open().hub, source)
  const first = stream.getReader()
  const left = first.read()
  const asked = (times: number) => waitUntil('it to be asked for', () => receivers.length === times)
  await asked(1)
  first.releaseLock()
  await expect(left).rejects.toThrow(TypeError)
  expect(receivers.map(({ isWanted }) => isWanted)).toEqual([false])
  const second = stream.getReader()
  const reads = [second.read(), second.read()]
  await new Promise((resolve) => setImmediate(resolve))
  expect(receivers).toHaveLength(1)
  receivers[0]!.letGo()
  await asked(2)
  receivers[1]!.give(1)
  expect(await reads[0]).toEqual({ done: false, value: 1 })
  await asked(3)
  receivers[2]!.give(2)
  expect(await reads[1]).toEqual({ done: false, value: 2 })
  expect(receivers).toHaveLength(3)
})

describe('a reader of it', () => {
  /** A stream of a source that a test makes items for, and the receivers that it was asked by. */
  function watched() {
    const { hub } = open()
    const receivers: Receiver<number>[] = []
    const source = { next: (receiver: Receiver<number>) => void receivers.push(receiver), wake() {} }
    const asked = (times: number) => waitUntil('it to be asked for', () => receivers.length === times)
    return { hub, receivers, asked, stream: watchStream(hub, source) }
  }
  const ended = { done: true, value: undefined }

  it('is a reader of the platform, and locks the stream', async () => {
    const { stream } = watched()
    const reader = stream.getReader()
    expect(reader).toBeInstanceOf(ReadableStreamDefaultReader)
    expect(stream.locked).toBe(true)
    expect(() => stream.getReader()).toThrow(TypeError)
    await expect(stream.cancel()).rejects.toThrow(TypeError)
    reader.releaseLock()
    expect(stream.locked).toBe(false)
    expect(() => stream.getReader({ mode: 'byob' })).toThrow(TypeError)
    await expect(reader.closed).rejects.toThrow(TypeError)
  })

  it('gets what came after the one before it was released, and only that', async () => {
    const { stream, receivers, asked } = watched()
    const first = stream.getReader()
    const left = [first.read(), first.read()]
    await asked(1)
    first.releaseLock()
    receivers[0]!.give(1)
    for (const read of left) await expect(read).rejects.toThrow(TypeError)
    await expect(first.read()).rejects.toThrow(TypeError)
    const second = stream.getReader()
    const reads = [second.read(), second.read()]
    first.releaseLock()
    await asked(2)
    receivers[1]!.give(2)
    expect(await Promise.all(reads)).toEqual([1, 2].map((value) => ({ done: false, value })))
    expect(receivers).toHaveLength(2)
  })

  it('has all its reads answered when the stream ends, is cancelled or fails', async () => {
    const ends = watched()
    const cancels = watched()
    const fails = watched()
    const [end, cancel, fail] = [ends, cancels, fails].map(({ stream }) => {
      const reader = stream.getReader()
      return { reader, reads: [reader.read(), reader.read()] }
    })
    ends.hub.close()
    expect(await Promise.all(end!.reads)).toEqual([ended, ended])
    expect(await end!.reader.read()).toEqual(ended)
    await cancel!.reader.cancel()
    expect(await Promise.all(cancel!.reads)).toEqual([ended, ended])
    expect(await cancel!.reader.read()).toEqual(ended)
    await fails.asked(1)
    fails.receivers[0]!.fail(new Error('disk'))
    for (const read of [...fail!.reads, fail!.reader.read()]) await expect(read).rejects.toThrow('disk')
    await expect(fail!.reader.closed).rejects.toThrow('disk')
  })

  it('leaves the rest to a pipe and a tee, and to a loop after it', async () => {
    const { stream, receivers, asked } = watched()
    const give = async (number: number) => {
      await asked(number)
      receivers.at(-1)!.give(number)
    }
    const reader = stream.getReader()
    const read = reader.read()
    await give(1)
    expect(await read).toEqual({ done: false, value: 1 })
    reader.releaseLock()
    const loop = (async () => {
      for await (const number of stream.values({ preventCancel: true })) return number
      return undefined
    })()
    await give(2)
    expect(await loop).toBe(2)
    const piped = stream.pipeThrough(
      new TransformStream<number, string>({ transform: (n, to) => to.enqueue(`${n}`) }),
    )
    const branches = piped.tee().map((branch) => branch.getReader().read())
    await give(3)
    expect(await Promise.all(branches)).toEqual(['3', '3'].map((value) => ({ done: false, value })))
  })
})

describe('a loop over it', () => {
  /** Numbers that a test gives, and the same as a stream of the platform. */
  function numbers() {
    const { hub } = open()
    const controller = new AbortController()
    let waiting: Receiver<number> | undefined
    const asked = () => waitUntil('it to be asked for', () => waiting !== undefined)
    const take = async () => {
      await asked()
      const receiver = waiting!
      waiting = undefined
      return receiver
    }
    const source = {
      next: (receiver: Receiver<number>) => {
        waiting = receiver
      },
      wake() {},
    }
    return {
      stream: watchStream(hub, source, controller.signal),
      give: async (n: number) => (await take()).give(n),
      fail: async (error: Error) => (await take()).fail(error),
      end: () => controller.abort(),
    }
  }

  function platformNumbers(): ReturnType<typeof numbers> {
    let controller!: ReadableStreamDefaultController<number>
    const stream = new ReadableStream<number>({
      start(it) {
        controller = it
      },
    })
    return {
      stream,
      give: async (n) => controller.enqueue(n),
      fail: async (error) => controller.error(error),
      end: () => controller.close(),
    }
  }

  const outcome = (promise: Promise<unknown>) => promise.catch((error: Error) => error.message)

  /** What a program does with the iterator of a stream, and what it sees. */
  const uses: Readonly<Record<string, (numbers: ReturnType<typeof platformNumbers>) => Promise<unknown>>> = {
    async 'items, overlapping calls, and leaving it'({ stream, give }) {
      const iterator = stream.values()
      const first = [iterator.next(), iterator.next()]
      await give(1)
      await give(2)
      const seen = [await Promise.all(first), stream.locked]
      return [
        ...seen,
        await iterator.return!(),
        stream.locked,
        await iterator.next(),
        await outcome(stream.cancel()),
      ]
    },
    async 'leaving it without cancelling'({ stream, give }) {
      const iterator = stream.values({ preventCancel: true })
      const first = iterator.next()
      await give(1)
      const seen = [await first, await iterator.return!(), stream.locked, await iterator.next()]
      const next = stream.getReader().read()
      await give(2)
      return [...seen, await next]
    },
    async 'leaving it while a read waits'({ stream, give }) {
      const iterator = stream.values()
      const first = iterator.next()
      const left = iterator.return!()
      await give(1)
      return [await first, await left, stream.locked]
    },
    async 'its end while a read waits'({ stream, end }) {
      const iterator = stream.values()
      const first = iterator.next()
      end()
      return [await first, stream.locked, await iterator.next(), await iterator.return!()]
    },
    async 'its end between two reads'({ stream, give, end }) {
      const iterator = stream.values()
      const first = iterator.next()
      await give(1)
      const seen = [await first]
      end()
      return [...seen, await iterator.next(), stream.locked, await outcome(stream.getReader().read())]
    },
    async 'a failure'({ stream, fail }) {
      const iterator = stream.values()
      const first = outcome(iterator.next())
      await fail(new Error('disk'))
      return [await first, stream.locked, await iterator.next(), await outcome(stream.getReader().read())]
    },
    async 'a for await that breaks'({ stream, give }) {
      const loop = (async () => {
        for await (const number of stream) return number
        return null
      })()
      await give(1)
      return [await loop, stream.locked, await stream.getReader().read()]
    },
    async 'a stream that is locked'({ stream }) {
      stream.getReader()
      return outcome(
        (async () => stream.values())().then(
          () => 'no error',
          () => 'an error',
        ),
      )
    },
  }

  it.each(Object.entries(uses))('does what one of the platform does: %s', async (_, use) => {
    expect(await use(numbers())).toEqual(await use(platformNumbers()))
  })

  it('makes one promise for an item', async () => {
    const { stream, give } = numbers()
    const iterator = stream[Symbol.asyncIterator]()
    const first = iterator.next()
    await give(1)
    await first
    let promises = 0
    const hook = createHook({
      init(_, type) {
        if (type === 'PROMISE') promises += 1
      },
    }).enable()
    const second = iterator.next()
    hook.disable()
    expect(promises).toBe(1)
    await give(2)
    expect(await second).toEqual({ done: false, value: 2 })
  })
})
