import { context, metrics, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { Valkeyrie } from 'valkeyrie'
import { ValkeyrieInstrumentation } from 'valkeyrie/opentelemetry'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import manifest from '../../package.json' with { type: 'json' }
import { describeEngine } from '../engines.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const inFolder = temporaryFolder()
const spans = new InMemorySpanExporter()
const tracers = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
let instrumentation: ValkeyrieInstrumentation

beforeEach(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  instrumentation = new ValkeyrieInstrumentation()
  instrumentation.setTracerProvider(tracers)
})
afterEach(() => {
  instrumentation.disable()
  context.disable()
  metrics.disable()
  trace.disable()
  spans.reset()
})

const open = (path?: string) =>
  Valkeyrie.withSchema(['users', '*'], z.object({ name: z.string(), age: z.int() })).open(path)
const named = (name: string): ReadableSpan => {
  const found = spans.getFinishedSpans().filter((span) => span.name === name)
  expect(found, name).toHaveLength(1)
  return found[0]!
}
const parentOf = (span: ReadableSpan) =>
  spans.getFinishedSpans().find((one) => one.spanContext().spanId === span.parentSpanContext?.spanId)?.name

it('has a span for each call, as the conventions of databases have it', async () => {
  const path = inFolder()
  await using db = await open(path)
  const { users } = db.repositories
  await users.insert('ada', { name: 'Ada', age: 41 })
  await users.insert('ada', { name: 'Ada', age: 41 }).catch(() => {})
  await users.findMany({ where: { age: { gte: 18 } } })
  await db.get(['users', 'ada'])
  const of = { 'db.system.name': 'sqlite', 'db.namespace': path }
  const [inserted, refused, found, got] = spans.getFinishedSpans()
  expect(inserted).toMatchObject({ name: 'insert users', kind: SpanKind.CLIENT })
  expect(inserted!.attributes).toEqual({
    ...of,
    'db.operation.name': 'insert',
    'db.collection.name': 'users',
    'db.query.summary': 'insert users',
  })
  expect(inserted!.status).toEqual({ code: SpanStatusCode.UNSET })
  expect(refused!.attributes['error.type']).toBe('KEY_EXISTS')
  expect(refused!.status).toEqual({ code: SpanStatusCode.ERROR, message: 'KEY_EXISTS' })
  expect(found!.attributes).toMatchObject({ 'db.operation.name': 'findMany', 'db.response.returned_rows': 1 })
  expect(found!.events.map(({ name, attributes }) => [name, attributes])).toEqual([
    [
      'valkeyrie.query',
      {
        'valkeyrie.query.operation': 'find',
        'valkeyrie.query.shape': 'where age gte ?',
        'valkeyrie.query.duration': expect.any(Number),
        'db.collection.name': 'users',
        'db.response.returned_rows': 1,
      },
    ],
  ])
  expect(got!.name).toBe('get')
  expect(got!.attributes).toEqual({
    ...of,
    'db.operation.name': 'get',
    'db.query.summary': 'get',
    'db.response.returned_rows': 1,
  })
})

it("has the calls and the program's spans of a unit of work below its span, and conflicts and retries in it", async () => {
  const path = inFolder()
  await using db = await open(path)
  await using other = await open(path)
  const tracer = tracers.getTracer('program')
  const within = <T>(name: string, work: () => Promise<T>) =>
    tracer.startActiveSpan(name, (span) => work().finally(() => span.end()))
  let runs = 0
  await within('request', () =>
    db.unitOfWork(async ({ repositories: { users } }) => {
      runs += 1
      await users.get('ada')
      if (runs === 1) await other.repositories.users.set('ada', { name: 'Ada', age: 1 })
      else await within('own', () => users.set('ada', { name: 'Ada', age: 2 }))
      for await (const _ of users.list()) break
      await users.set('bob', { name: 'Bob', age: runs })
    }),
  )
  const names = ['unitOfWork', 'own', 'request']
  expect(names.map((name) => parentOf(named(name)))).toEqual(['request', 'unitOfWork', undefined])
  const parents = spans.getFinishedSpans().map((span) => `${span.name} < ${parentOf(span)}`)
  expect(new Set(parents)).toEqual(
    new Set([
      'get users < unitOfWork',
      'set users < unitOfWork',
      'set users < own',
      'scan users < unitOfWork',
      'own < unitOfWork',
      'unitOfWork < request',
      'request < undefined',
    ]),
  )
  expect(named('unitOfWork').events.map(({ name }) => name)).toEqual([
    'valkeyrie.conflict',
    'valkeyrie.wait',
    'valkeyrie.retry',
  ])
})

it('gives concurrent calls their own parents', async () => {
  await using db = await open()
  const tracer = tracers.getTracer('program')
  const requests = Array.from({ length: 20 }, (_, i) =>
    tracer.startActiveSpan(`request ${i}`, async (span) => {
      await db.set(['n', i], i)
      await db.get(['n', i])
      span.end()
    }),
  )
  await Promise.all(requests)
  const parents = spans
    .getFinishedSpans()
    .filter(({ name }) => name === 'set' || name === 'get')
    .map(parentOf)
  const expected = requests.flatMap((_, i) => [`request ${i}`, `request ${i}`])
  expect(parents.sort()).toEqual(expected.sort())
})

it('measures calls, rows, transactions, conflicts, retries and waits, by a provider that comes late too', async () => {
  const path = inFolder()
  await using db = await open(path)
  await using other = await open(path)
  await db.set(['early'], 1)
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 })
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  await db.repositories.users.findMany()
  let runs = 0
  await db.unitOfWork(async (unit) => {
    await unit.get(['early'])
    runs += 1
    if (runs === 1) await other.set(['early'], 2)
    await unit.set(['early'], 3)
  })
  await db.repositories.users.insert('ada', { name: 'Ada', age: 1 })
  await db.repositories.users.insert('ada', { name: 'Ada', age: 1 }).catch(() => {})
  await reader.forceFlush()
  const measured = new Map(
    exporter
      .getMetrics()
      .at(-1)!
      .scopeMetrics.flatMap(({ metrics: all }) => all)
      .map(({ descriptor, dataPoints }) => [descriptor.name, { unit: descriptor.unit, dataPoints }]),
  )
  expect([...measured].map(([name, { unit }]) => [name, unit]).sort()).toEqual([
    ['db.client.operation.duration', 's'],
    ['db.client.response.returned_rows', '{row}'],
    ['valkeyrie.commit.duration', 's'],
    ['valkeyrie.commit.writes', '{write}'],
    ['valkeyrie.conflicts', '{conflict}'],
    ['valkeyrie.retries', '{retry}'],
    ['valkeyrie.wait.duration', 's'],
  ])
  const { dataPoints } = measured.get('db.client.operation.duration')!
  expect(dataPoints.map(({ attributes }) => attributes)).toContainEqual({
    'db.system.name': 'sqlite',
    'db.namespace': path,
    'db.operation.name': 'insert',
    'db.collection.name': 'users',
    'db.query.summary': 'insert users',
    'error.type': 'KEY_EXISTS',
  })
  expect(dataPoints[0]!.value).toMatchObject({
    buckets: { boundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] },
  })
})

it('is an instrumentation as the SDK takes it, and has the version of the package', async () => {
  instrumentation.disable()
  const own: Instrumentation = new ValkeyrieInstrumentation({ enabled: false })
  expect(own.instrumentationVersion).toBe(manifest.version)
  const unregister = registerInstrumentations({ instrumentations: [own], tracerProvider: tracers })
  await using db = await open()
  await db.set(['a'], 1)
  unregister()
  await db.set(['a'], 2)
  expect(spans.getFinishedSpans()).toHaveLength(1)
  expect(named('set').kind).toBe(SpanKind.INTERNAL)
})

it('takes no values and no keys into spans', async () => {
  await using db = await open()
  const { users } = db.repositories
  await users.set('sesame', { name: 'sesame', age: 1 })
  await users.insert('sesame', { name: 'sesame', age: 1 }).catch(() => {})
  await users.findMany({ where: { name: 'sesame' } })
  await users.set('sesame', { name: 'sesame', age: 'sesame' as never }).catch(() => {})
  const told = spans
    .getFinishedSpans()
    .map(({ name, attributes, events, status }) => ({ name, attributes, events, status }))
  expect(told).toHaveLength(4)
  expect(JSON.stringify(told)).not.toContain('sesame')
})

describeEngine('postgres', 'spans', ({ newAddress }) => {
  it('name the server and its database', async () => {
    const address = newAddress()
    await using db = await Valkeyrie.open(address)
    await db.get(['a'])
    const { hostname, port, pathname } = new URL(address)
    expect(named('get').attributes).toEqual({
      'db.system.name': 'postgresql',
      'db.namespace': pathname.slice(1),
      'server.address': hostname,
      'server.port': Number(port),
      'db.operation.name': 'get',
      'db.query.summary': 'get',
      'db.response.returned_rows': 0,
    })
  })
})
