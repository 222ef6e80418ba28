import type { InspectOptions } from 'node:util'
import { checkSignal } from '../arguments/call-options.ts'
import { checkOptionNames } from '../arguments/option-names.ts'
import { inspected, inspectName } from '../contract/inspected.ts'
import { TypedStore } from '../repository/typed-store.ts'
import type { RepositoryViewOf, RepositoryViews } from '../repository/types/repositories.types.ts'
import type { DefinitionNamed, Definitions, OutputOf } from '../schema/registry.types.ts'
import { running } from '../store/running.ts'
import { SnapshotStore } from '../store/snapshot-store.ts'
import type { Store } from '../store/store.ts'
import { untilAborted } from '../time/until-aborted.ts'

/**
 * What the function of `Database.snapshot` reads from: the reads of a database, all from one state.
 *
 * ```ts
 * const [open, first] = await db.snapshot(async (view) => {
 *   const { accounts } = view.repositories
 *   return [await accounts.count(), await view.get(['accounts', 'alice'])]
 * })
 * open // => 2
 * first.value // => { balance: 100 }
 * ```
 *
 * After its function has returned, a call is a TypeError; writing or watching always is.
 */
export interface SnapshotView<R extends Definitions> extends Pick<TypedStore<R>, 'get' | 'getMany' | 'list'> {
  /** The reads of each repository, by its name. */
  readonly repositories: RepositoryViews<R>
  /**
   * The reads of the repository of a declared pattern, or of a definition.
   *
   * ```ts
   * await db.snapshot((view) => view.repository(['accounts', '*']).count()) // => 2
   * ```
   */
  repository<D extends R[number]>(definition: D): RepositoryViewOf<OutputOf<D>, D, R>
  repository<const P extends R[number]['pattern']>(
    pattern: P,
  ): RepositoryViewOf<OutputOf<DefinitionNamed<R, P>>, DefinitionNamed<R, P>, R>
}

/** How to read a snapshot. */
export interface SnapshotOptions {
  /** Aborting it rejects the call with its reason. */
  readonly signal?: AbortSignal | undefined
}

class View<R extends Definitions> extends TypedStore<R> {
  [inspectName](_depth: number, options: InspectOptions): string {
    return inspected('SnapshotView', { repositories: Object.keys(this.repositories) }, options)
  }
}

/** Runs a function whose reads all see one state. */
export async function runSnapshot<R extends Definitions, T>(
  store: Store,
  read: (view: SnapshotView<R>) => T | Promise<T>,
  options: SnapshotOptions,
): Promise<T> {
  if (typeof read !== 'function') throw new TypeError('snapshot takes a function of the view')
  checkOptionNames(options, ['signal'], 'snapshot')
  checkSignal(options, 'snapshot')
  const { signal } = options
  if (running.getStore()?.isOpenOn(store)) {
    throw new TypeError(
      'A snapshot inside a unit of work or a snapshot would read another state: use what the outer function gets',
    )
  }
  signal?.throwIfAborted()
  store.assertOpen()
  const snapshot = new SnapshotStore(store, store.driver.session('held'))
  try {
    const view = new View<R>(snapshot)
    return await untilAborted(
      running.run(snapshot, async () => read(view)),
      signal,
    )
  } finally {
    snapshot.end()
  }
}
