import { type FieldPath, pathText } from '../catalog/value-change.ts'
import { MigrationError } from '../contract/errors.ts'

/** Something that may have been renamed: a repository, a field of it, or a value of an enumeration. */
export interface Rename {
  /** The repository's old name, and, for a field or a value, its new one. */
  readonly repository: readonly [last: string, next?: string]
  /** The old path of the field, and the same path with the present names of the objects around it. */
  readonly field?: readonly [last: FieldPath, next: FieldPath]
  /** The old value, if a value is renamed. */
  readonly value?: string
  readonly to: string
}

/** `users=people`, `users.name=fullName`, `users.address.town=city`, `users.role:admin=owner` */
function renameText(rename: Rename): string {
  return textsOf(rename)[0]!
}

/** All ways to write a rename, with old or new names of the repository and of the objects around a field. */
function textsOf({ repository, field, value, to }: Rename): string[] {
  if (field === undefined) return [`${repository[0]}=${to}`]
  const texts = repository.flatMap((name) =>
    field.flatMap((path) => {
      if (value !== undefined) return [`${name}.${pathText(path)}:${value}=${to}`]
      // The whole path may be repeated: users.address.town=address.city
      return [to, ...field.map((around) => pathText([...around.slice(0, -1), to]))].map(
        (target) => `${name}.${pathText(path)}=${target}`,
      )
    }),
  )
  return [...new Set(texts)]
}

/** Asks the user to pick one of the choices; resolves to its place. */
export type Ask = (question: string, choices: readonly string[]) => Promise<number>

/** The renames that the command was given, and those that the user confirms. */
export class RenameDecisions {
  readonly #given: ReadonlySet<string>
  readonly #used = new Set<string>()
  readonly #ask: Ask | undefined
  /** Possible renames that were not made, because nobody could be asked. */
  readonly undecided: string[] = []

  constructor(given: readonly string[], ask?: Ask | undefined) {
    for (const text of given) {
      if (/^[^.:=]+([.:].*)?=/su.test(text)) continue
      throw new MigrationError(
        `--rename ${text} names no change: write users.name=fullName, users=people, or users.role:admin=owner`,
      )
    }
    this.#given = new Set(given)
    this.#ask = ask
  }

  /** Whether the command was given this rename. */
  isGiven(rename: Rename): boolean {
    if (this.#given.size === 0) return false
    const text = textsOf(rename).find((it) => this.#given.has(it))
    if (text !== undefined) this.#used.add(text)
    return text !== undefined
  }

  /** The candidate that the user picks as the new name, if the user can be asked. */
  async chosen<T>(candidates: readonly T[], renameOf: (candidate: T) => Rename): Promise<T | undefined> {
    const renames = candidates.map(renameOf)
    const [first] = renames
    if (first === undefined) return undefined
    const texts = renames.map(renameText)
    if (this.#ask === undefined) {
      this.undecided.push(...texts)
      return undefined
    }
    const gone = texts[0]!.slice(0, -`=${first.to}`.length)
    const choices = [...renames.map(({ to }) => to), 'nothing: it was not renamed']
    return candidates[await this.#ask(`${gone} is gone. What is its name now?`, choices)]
  }

  /** Throws a MigrationError for a given rename that matches no change. */
  checkUsed(): void {
    const unused = [...this.#given].find((text) => !this.#used.has(text))
    if (unused === undefined) return
    throw new MigrationError(
      `--rename ${unused} names nothing that has changed: the name before the = must have been there last time, and the name after it must be there now, in the same object. That object may not be in an array or a union, and may not allow other fields`,
    )
  }
}
