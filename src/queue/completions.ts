import type { AtomicWrite } from '../commit/write.ts'
import { running } from '../store/running.ts'
import type { Store } from '../store/store.ts'

/** A completed job under its key. */
interface Done {
  readonly key: Uint8Array
  readonly version: number
  readonly resolve: (isRemoved: boolean) => void
  readonly reject: (error: unknown) => void
}

/** How many jobs to remove in one commit, which takes some milliseconds that cannot be split. */
const mostInCommit = 200

/** Removes completed jobs that have nothing else to write: those of one turn of the event loop in one commit. */
export class Completions {
  readonly #store: Store
  #waiting: Done[] = []

  constructor(store: Store) {
    this.#store = store
  }

  /** Removes a job if it has this version. Resolves to whether it did: false if another worker has the job. */
  remove(key: Uint8Array, version: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const done = { key, version, resolve, reject }
      // A unit of work that has the turn must not wait for writes that wait for the end of the turn.
      if (running.getStore() !== undefined) {
        void this.#commit([done])
        return
      }
      if (this.#waiting.push(done) === 1) process.nextTick(this.#commitAll)
    })
  }

  readonly #commitAll = (): void => {
    const all = this.#waiting
    this.#waiting = []
    for (let i = 0; i < all.length; i += mostInCommit) void this.#commit(all.slice(i, i + mostInCommit))
  }

  /** If one of them fails, each is removed in its own commit. */
  async #commit(jobs: readonly Done[]): Promise<void> {
    const checks = jobs.map(({ key, version }) => ({ key, version }))
    const mutations: AtomicWrite['mutations'] = jobs.map(({ key }) => ({ type: 'delete', key }))
    try {
      const outcome = await this.#store.commit({ checks, mutations })
      if (outcome.type === 'committed') {
        for (const { resolve } of jobs) resolve(true)
        return
      }
      if (jobs.length === 1) {
        jobs[0]!.resolve(false)
        return
      }
    } catch (error) {
      if (jobs.length === 1) {
        jobs[0]!.reject(error)
        return
      }
    }
    for (const job of jobs) void this.#commit([job])
  }
}
