/** A query as the caller passes it, with the range of keys that its `prefix` selects; `null`: all keys of the collection. */
export interface UncheckedQuery {
  readonly where?: unknown
  readonly orderBy?: unknown
  readonly limit?: unknown
  readonly offset?: unknown
  readonly after?: unknown
  readonly distinct?: unknown
  readonly highlight?: unknown
}

/** An aggregate as the caller passes it. */
export interface UncheckedAggregate {
  readonly where?: unknown
  readonly count?: unknown
  readonly countDistinct?: unknown
  readonly sum?: unknown
  readonly avg?: unknown
  readonly min?: unknown
  readonly max?: unknown
  readonly groupBy?: unknown
  readonly having?: unknown
  readonly orderBy?: unknown
  readonly limit?: unknown
}
