import { maxDepth } from './bounds.ts'
import { joinPath } from './dotted-path.ts'
import { formatPath, type Path } from './path.ts'

/** A place in a value: the steps to it for readers, and its last step in `types`. */
export class Place implements Path {
  readonly under: Place | null
  readonly key: string
  readonly #stepOf: (key: string) => string

  /** `key`: the step in `types`, not escaped. `stepOf`: makes the step for readers. */
  constructor(under: Place | null, key: string, stepOf: (key: string) => string) {
    this.under = under
    this.key = key
    this.#stepOf = stepOf
  }

  get step(): string {
    return this.#stepOf(this.key)
  }
}

export const toIndex = (key: string) => `[${key}]`
export const toItem = (key: string) => `.values()[${key}]`

/** A place as a path in `types`. */
export function typePath(place: Place | null): string {
  const keys: string[] = []
  for (let at = place; at !== null; at = at.under) keys.push(at.key)
  return joinPath(keys.reverse())
}

export function refuseDepth(place: Place | null): never {
  refuse(place, `is nested more than ${maxDepth} objects deep`)
}

export function refuse(place: Path | null, why: string): never {
  throw new TypeError(`${formatPath(place)} ${why}`)
}
