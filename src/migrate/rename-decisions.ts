import { MigrationError } from '../errors.ts'
import { type DecideRename, parseRename, type Rename, renameText } from './renames.ts'

/** Asks a person a question that is answered by yes or no. */
export type Ask = (question: string) => Promise<boolean>

/** The renames that the command was given, and those that a person confirms. */
export class RenameDecisions {
  readonly #given: readonly Rename[]
  readonly #used = new Set<Rename>()
  readonly #ask: Ask | undefined
  /** What looked like renames, and was not taken for them since nobody could be asked. */
  readonly undecided: string[] = []

  constructor(given: readonly string[], ask: Ask | undefined) {
    this.#given = given.map(parseRename)
    this.#ask = ask
  }

  readonly decide: DecideRename = async (candidate, looksLikeOne) => {
    const given = this.#given.find((rename) => same(rename, candidate))
    if (given !== undefined) {
      this.#used.add(given)
      return true
    }
    const elsewhere = this.#given.some((rename) => same(rename, { ...candidate, to: rename.to }))
    if (!looksLikeOne || elsewhere) return false
    if (this.#ask !== undefined) return this.#ask(`Is this a rename: ${renameText(candidate)}?`)
    this.undecided.push(renameText(candidate))
    return false
  }

  /** Throws a MigrationError for a rename that was given and names nothing that has changed. */
  checkUsed(): void {
    const unused = this.#given.find((rename) => !this.#used.has(rename))
    if (unused === undefined) return
    throw new MigrationError(
      `--rename ${renameText(unused)} names nothing that has changed: the name before it was there last time, the one after it is there now`,
    )
  }
}

function same(a: Rename, b: Rename): boolean {
  return a.repository === b.repository && a.field === b.field && a.value === b.value && a.to === b.to
}
