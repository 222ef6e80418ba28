/** A query as it is given, with the keys that its `prefix` leaves; `null`: all of the collection's. */
export interface UncheckedQuery {
  readonly where?: unknown
  readonly orderBy?: unknown
  readonly limit?: unknown
  readonly offset?: unknown
  readonly after?: unknown
  readonly distinct?: unknown
  readonly highlight?: unknown
}

/** An aggregate as it is given. */
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
