import { DatabaseClosedError, LogTrimmedError } from 'valkeyrie'
import type { Appended } from './event-store.ts'
import { addDelivery, type Deliveries, type Position, type StockEvent, type Warehouse } from './warehouse.ts'

const name = 'deliveries'

/**
 * Keeps the deliveries to each customer up to date with the events of all streams, each event counted once.
 *
 * Every event is counted in the same commit that says how far the counting has come (the checkpoint). A process that dies, dies
 * before that commit or after it, and goes on at the checkpoint; none is left out, none counted twice. The commit rests on
 * a check of the checkpoint, so of several projectors one counts an event, and the others find that it is done.
 */
export class Projector {
  readonly #db: Warehouse

  constructor(db: Warehouse) {
    this.#db = db
  }

  /** Counts events as they come, until the signal aborts. Begins with a rebuild where there is no checkpoint yet. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { value: checkpoint } = await this.#db.repositories.projections.get(name)
      try {
        if (checkpoint !== null) return await this.#follow(checkpoint.since, signal)
      } catch (error) {
        // What came after the checkpoint is no longer in the log. It is still in the streams.
        if (!(error instanceof LogTrimmedError)) throw error
      }
      await this.rebuild()
    }
  }

  /**
   * Counts all events anew, from the streams, and puts the result in the place of what there was, unless the counting has gone on
   * meanwhile.
   *
   * An event is never written again, so its versionstamp tells in which commit it came. Those up to the mark, a
   * commit of this method, are counted here; the log is followed from the mark on. So events may go on coming while the
   * streams are read, and no snapshot of the whole file is needed.
   */
  async rebuild(): Promise<void> {
    const { events, deliveries, projections, rebuilds } = this.#db.repositories
    const checkpoint = await projections.get(name)
    const { versionstamp: mark } = await rebuilds.sum(name, 1n)

    const counted = new Map<string, Deliveries>()
    for await (const { value, versionstamp } of events.list()) {
      const { event } = value
      if (versionstamp > mark || event.type !== 'shipped') continue
      counted.set(event.customer, addDelivery(counted.get(event.customer), event.pieces))
    }

    const replacement = this.#db.atomic().check(checkpoint)
    for await (const { key } of deliveries.list()) replacement.delete(key)
    for (const [customer, sum] of counted) replacement.set(deliveries.key(customer), sum)
    await replacement.set(projections.key(name), { since: mark, commit: mark, done: 0 }).commit()
  }

  /** Waits until an append is counted: what is read from then on shows it. A wait by itself keeps no process alive. */
  async reached(appended: Appended): Promise<void> {
    for await (const { value } of this.#db.repositories.projections.watch(name)) {
      if (value !== null && !isBehind(value, appended)) return
    }
    // Nothing else ends the stream.
    throw new DatabaseClosedError()
  }

  async #follow(since: string, signal: AbortSignal): Promise<void> {
    let position: Position = { since, commit: since, done: 0 }
    for await (const { versionstamp, value } of this.#db.repositories.events.changes({ since, signal })) {
      // Several events may come in one commit. It has to be read from its beginning when the counting goes on in its midst.
      position =
        versionstamp === position.commit
          ? { ...position, done: position.done + 1 }
          : { since: position.commit, commit: versionstamp, done: 1 }
      await this.#count(value?.event ?? null, position)
    }
  }

  /** Counts the event at a position. `null`: an event that was removed, as with the whole of its stream. */
  async #count(event: StockEvent | null, position: Position): Promise<void> {
    const { deliveries, projections } = this.#db.repositories
    for (;;) {
      const checkpoint = await projections.get(name)
      if (checkpoint.value === null || (event === null && isBehind(checkpoint.value, position))) {
        await this.rebuild()
        continue
      }
      if (event === null || !isBehind(checkpoint.value, position)) return

      const operation = this.#db.atomic().check(checkpoint).set(checkpoint.key, position)
      if (event.type === 'shipped') {
        const { key, value } = await deliveries.get(event.customer)
        operation.set(key, addDelivery(value, event.pieces))
      }
      const { ok } = await operation.commit()
      if (ok) return
    }
  }
}

/** Whether the event at `position` comes after all that the checkpoint says are dealt with. */
function isBehind(checkpoint: Position, position: Pick<Position, 'commit' | 'done'>): boolean {
  if (checkpoint.commit !== position.commit) return checkpoint.commit < position.commit
  return checkpoint.done < position.done
}
