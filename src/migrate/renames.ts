import { MigrationError } from '../errors.ts'

/** What has another name now: a repository, a field of it, or a value of an enumeration. */
export interface Rename {
  /** The repository's name before; of a field or a value its present name will do. */
  readonly repository: string
  /** The field's path before, dotted; undefined where the repository is renamed. */
  readonly field: string | undefined
  /** The value before, where one is renamed. */
  readonly value: string | undefined
  readonly to: string
}

/**
 * Reads `--rename`: `users=people`, `users.name=fullName`, `users.address.city=town`, `users.role:admin=owner`.
 */
export function parseRename(text: string): Rename {
  const [, repository, field, value, to] = text.match(/^([^.:=]+)(?:\.([^:=]+)(?::([^=]+))?)?=(.+)$/) ?? []
  if (repository === undefined || to === undefined) {
    throw new MigrationError(
      `--rename ${text} names no change: write users.name=fullName, users=people, or users.role:admin=owner`,
    )
  }
  // The whole path may be repeated: users.address.city=address.town
  const parent = field?.includes('.') ? field.slice(0, field.lastIndexOf('.') + 1) : ''
  const name = value === undefined && parent !== '' && to.startsWith(parent) ? to.slice(parent.length) : to
  return { repository, field, value, to: name }
}

/** The text that `parseRename` reads. */
export function renameText({ repository, field, value, to }: Rename): string {
  return `${repository}${field === undefined ? '' : `.${field}`}${value === undefined ? '' : `:${value}`}=${to}`
}

/** Tells whether what may be a rename is one; where it looks like one, a person may be asked. */
export type DecideRename = (candidate: Rename, looksLikeOne: boolean) => Promise<boolean>
