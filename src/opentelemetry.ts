// The whole subpath is one file: spans and metrics come from the same messages, in one pass.
import {
  type Attributes,
  context,
  createContextKey,
  type Histogram,
  type MeterProvider,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import {
  calls,
  commits,
  conflicts,
  queries,
  retries,
  type TracedCall,
  type TracedCommit,
  type TracedConflict,
  type TracedQuery,
  type TracedRetry,
  type TracedWait,
  type TraceMessage,
  waits,
} from './trace/channels.ts'

/** How to instrument. */
export interface ValkeyrieInstrumentationConfig {
  /** Whether it listens from the start, not only after `enable()`. Default `true`. */
  enabled?: boolean
}

const scope = 'valkeyrie'
const version = '0.1.0'

/** The buckets that the conventions prescribe, in seconds and in rows. */
const durationBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]
const rowBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]

/** Calls whose rows a query returned; other calls have written their rows. */
const reads = new Set('get getMany findMany findFirst findPage execute first page'.split(' '))
/** Calls that run a function of the user, which makes calls itself. */
const runsCalls = new Set(['unitOfWork', 'snapshot'])

/** The span of the call whose queries the code runs; undefined in a function of the user. */
const callKey = createContextKey('valkeyrie call')

/** The instruments of one provider. */
interface Instruments {
  readonly provider: MeterProvider
  readonly duration: Histogram
  readonly rows: Histogram
  readonly commit: Histogram
  readonly writes: Histogram
  readonly wait: Histogram
  conflict(attributes: Attributes): void
  retry(attributes: Attributes): void
}

/**
 * Traces and measures every database of this process with OpenTelemetry, by its conventions for databases: a span and a duration
 * for each call, with the call's queries, conflicts, retries and waits as events of the span. Calls inside a unit of work are
 * below its span. It records no values and no keys.
 *
 * ```ts
 * await db.set(['lamp'], 'on')
 * exporter.getFinishedSpans().map(({ name }) => name) // => ['set']
 * ```
 *
 * It has the shape of the interface `Instrumentation` of `@opentelemetry/instrumentation`, so `registerInstrumentations` and
 * `NodeSDK` take it. Without them it uses the globally registered providers.
 */
export class ValkeyrieInstrumentation {
  /** The name of its tracer and its meter. */
  readonly instrumentationName: string = scope
  /** The version of this package. */
  readonly instrumentationVersion: string = version
  #config: ValkeyrieInstrumentationConfig
  #tracers: TracerProvider | undefined
  #meters: MeterProvider | undefined
  #known: Instruments | undefined
  #enabled = false
  /** The spans of what is running. */
  readonly #spans = new WeakMap<TraceMessage, Span>()
  /** The span of the call that runs each query. */
  readonly #callers = new WeakMap<TracedQuery, Span>()

  constructor(config: ValkeyrieInstrumentationConfig = {}) {
    this.#config = config
    if (config.enabled !== false) this.enable()
  }

  /**
   * Starts listening, if it does not yet.
   *
   * ```ts
   * const later = new ValkeyrieInstrumentation({ enabled: false })
   * later.enable()
   * ```
   */
  enable(): void {
    if (this.#enabled) return
    this.#enabled = true
    for (const [channel, listener] of this.#listeners) channel.subscribe(listener)
  }

  /**
   * Stops listening. The span of a call that is still running does not end.
   *
   * ```ts
   * instrumentation.disable()
   * ```
   */
  disable(): void {
    this.#enabled = false
    for (const [channel, listener] of this.#listeners) channel.unsubscribe(listener)
  }

  /**
   * Uses the tracer of this provider instead of the global one.
   *
   * ```ts
   * instrumentation.setTracerProvider(new BasicTracerProvider())
   * ```
   */
  setTracerProvider(provider: TracerProvider): void {
    this.#tracers = provider
  }

  /**
   * Uses the meter of this provider instead of the global one.
   *
   * ```ts
   * instrumentation.setMeterProvider(new MeterProvider())
   * ```
   */
  setMeterProvider(provider: MeterProvider): void {
    this.#meters = provider
  }

  /**
   * Sets what `getConfig` returns; it neither starts nor stops listening.
   *
   * ```ts
   * instrumentation.setConfig({ enabled: true })
   * ```
   */
  setConfig(config: ValkeyrieInstrumentationConfig): void {
    this.#config = config
  }

  /**
   * Its configuration.
   *
   * ```ts
   * instrumentation.getConfig() // => {}
   * ```
   */
  getConfig(): ValkeyrieInstrumentationConfig {
    return this.#config
  }

  /** The messages of each channel have their own type. */
  readonly #listeners = [
    [calls.start, (message: unknown) => this.#callStarts(message as TracedCall)],
    [calls.end, (message: unknown) => this.#callFails(message as TracedCall)],
    [calls.asyncEnd, (message: unknown) => this.#callEnds(message as TracedCall)],
    [queries.start, (message: unknown) => this.#queryStarts(message as TracedQuery)],
    [queries.asyncEnd, (message: unknown) => this.#queryEnds(message as TracedQuery)],
    [commits.asyncEnd, (message: unknown) => this.#committed(message as TracedCommit)],
    [conflicts, (message: unknown) => this.#conflicted(message as TracedConflict)],
    [retries, (message: unknown) => this.#retried(message as TracedRetry)],
    [waits, (message: unknown) => this.#waited(message as TracedWait)],
  ] as const

  #callStarts(message: TracedCall): void {
    const { call, repository, database } = message
    const span = this.#startSpan(message, attributesOf(database, call, repository))
    const within = trace
      .setSpan(context.active(), span)
      .setValue(callKey, runsCalls.has(call) ? undefined : span)
    const { run } = message
    message.run = (begin) => context.with(within, () => (run === undefined ? begin() : run(begin)))
  }

  /** A call that throws instead of returning a promise has no other end. */
  #callFails(message: TracedCall): void {
    if (message.errorType !== undefined) this.#callEnds(message)
  }

  #callEnds(message: TracedCall): void {
    const { call, repository, database, rows } = message
    const returned = reads.has(call) ? rows : undefined
    this.#end(message, attributesOf(database, call, repository), returned)
  }

  #queryStarts(message: TracedQuery): void {
    const caller = context.active().getValue(callKey) as Span | undefined
    if (caller !== undefined) {
      this.#callers.set(message, caller)
      return
    }
    // A page of a list, or a read of a live query.
    const { query, repository, database, shape } = message
    const attributes = { ...attributesOf(database, query, repository), 'valkeyrie.query.shape': shape }
    this.#startSpan(message, attributes)
  }

  #queryEnds(message: TracedQuery): void {
    const { query, repository, database, shape, rows, duration } = message
    const caller = this.#callers.get(message)
    if (caller === undefined) {
      this.#end(message, attributesOf(database, query, repository), rows)
      return
    }
    caller.addEvent('valkeyrie.query', {
      'valkeyrie.query.operation': query,
      'valkeyrie.query.shape': shape,
      'valkeyrie.query.duration': seconds(duration),
      ...(repository !== null && { 'db.collection.name': repository }),
      ...(rows !== undefined && { 'db.response.returned_rows': rows }),
    })
  }

  #committed({ database, writes, duration, errorType }: TracedCommit): void {
    const { commit, writes: size } = this.#instruments
    const attributes = { ...databaseAttributes(database), ...errorAttributes(errorType) }
    commit.record(seconds(duration), attributes)
    size.record(writes, attributes)
  }

  #conflicted({ database, keys }: TracedConflict): void {
    this.#instruments.conflict(databaseAttributes(database))
    trace.getActiveSpan()?.addEvent('valkeyrie.conflict', { 'valkeyrie.conflict.keys': keys })
  }

  #retried({ database, attempt }: TracedRetry): void {
    this.#instruments.retry(databaseAttributes(database))
    trace.getActiveSpan()?.addEvent('valkeyrie.retry', { 'valkeyrie.retry.attempt': attempt })
  }

  #waited({ database, for: reason, duration }: TracedWait): void {
    const attributes = { 'valkeyrie.wait.reason': reason }
    this.#instruments.wait.record(seconds(duration), { ...databaseAttributes(database), ...attributes })
    const told = { ...attributes, 'valkeyrie.wait.duration': seconds(duration) }
    trace.getActiveSpan()?.addEvent('valkeyrie.wait', told)
  }

  #startSpan(message: TracedCall | TracedQuery, attributes: Attributes): Span {
    const summary = String(attributes['db.query.summary'])
    const kind = message.database === ':memory:' ? SpanKind.INTERNAL : SpanKind.CLIENT
    const tracer = (this.#tracers ?? trace).getTracer(scope, version)
    const span = tracer.startSpan(summary, { kind, attributes })
    this.#spans.set(message, span)
    return span
  }

  #end(message: TraceMessage, attributes: Attributes, rows: number | undefined): void {
    const { errorType, duration } = message
    const error = errorAttributes(errorType)
    const { duration: durations, rows: returned } = this.#instruments
    durations.record(seconds(duration), { ...attributes, ...error })
    if (rows !== undefined) returned.record(rows, attributes)
    const span = this.#spans.get(message)
    if (span === undefined) return
    span.setAttributes(error)
    if (rows !== undefined) span.setAttribute('db.response.returned_rows', rows)
    if (errorType !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: errorType })
    span.end()
  }

  /** From the provider that is registered now, which may be after the first database was opened. */
  get #instruments(): Instruments {
    const provider = this.#meters ?? metrics.getMeterProvider()
    if (this.#known?.provider !== provider) this.#known = instrumentsOf(provider)
    return this.#known
  }
}

function instrumentsOf(provider: MeterProvider): Instruments {
  const meter = provider.getMeter(scope, version)
  const histogram = (name: string, description: string, unit: string, buckets: number[]) =>
    meter.createHistogram(name, { description, unit, advice: { explicitBucketBoundaries: buckets } })
  const conflict = meter.createCounter('valkeyrie.conflicts', {
    description: 'Writes refused because others had written first.',
    unit: '{conflict}',
  })
  const retry = meter.createCounter('valkeyrie.retries', {
    description: 'Attempts repeated after a conflict.',
    unit: '{retry}',
  })
  return {
    provider,
    duration: histogram('db.client.operation.duration', 'Duration of calls.', 's', durationBuckets),
    rows: histogram('db.client.response.returned_rows', 'Rows returned by calls.', '{row}', rowBuckets),
    commit: histogram('valkeyrie.commit.duration', 'Duration of transactions.', 's', durationBuckets),
    writes: histogram('valkeyrie.commit.writes', 'Writes of a transaction.', '{write}', rowBuckets),
    wait: histogram('valkeyrie.wait.duration', 'Duration of waits.', 's', durationBuckets),
    conflict: (attributes) => conflict.add(1, attributes),
    retry: (attributes) => retry.add(1, attributes),
  }
}

/** Of the database that was traced last: most processes have one. */
let lastOf = { database: '', attributes: {} as Attributes }

function databaseAttributes(database: string): Attributes {
  if (lastOf.database !== database) lastOf = { database, attributes: attributesOfDatabase(database) }
  return lastOf.attributes
}

/** `database`: the path of a file, `:memory:`, or an address without a password. */
function attributesOfDatabase(database: string): Attributes {
  if (!/^postgres(?:ql)?:\/\//i.test(database))
    return { 'db.system.name': 'sqlite', 'db.namespace': database }
  const { hostname, port, pathname } = new URL(database)
  return {
    'db.system.name': 'postgresql',
    'db.namespace': decodeURIComponent(pathname.slice(1)),
    'server.address': hostname,
    ...(port !== '' && { 'server.port': Number(port) }),
  }
}

function attributesOf(database: string, operation: string, repository: string | null): Attributes {
  return {
    ...databaseAttributes(database),
    'db.operation.name': operation,
    'db.query.summary': repository === null ? operation : `${operation} ${repository}`,
    ...(repository !== null && { 'db.collection.name': repository }),
  }
}

function errorAttributes(errorType: string | undefined): Attributes {
  return errorType === undefined ? {} : { 'error.type': errorType }
}

function seconds(milliseconds = 0): number {
  return milliseconds / 1_000
}
