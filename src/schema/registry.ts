import type { Key } from '../contract/key.types.ts'
import { compareSpecificity, PatternIndex } from '../key/pattern.ts'
import type { Pattern } from '../key/pattern.types.ts'
import { ValueFormat } from '../value/value-format.ts'
import type { ValueType } from '../value/value-type.ts'
import type { AnyDefinition } from './definition.types.ts'
import { indexNameClash } from './index-name.ts'

/**
 * The definitions of a database, found by key or by name. Immutable: `add` returns a new one.
 *
 * @example
 * const registry = new Registry([users, root])
 * registry.find(['users', 'root'])?.name // 'root': ['users', 'root'] is more specific than ['users', '*']
 */
export class Registry {
  /** In the order in which they were declared. */
  readonly definitions: readonly AnyDefinition[]
  readonly #index: PatternIndex<AnyDefinition>
  readonly #byName: ReadonlyMap<string, AnyDefinition>

  /** @throws TypeError if two definitions have the same name or the same pattern, or their indexes would have one name. */
  constructor(definitions: Iterable<AnyDefinition> = []) {
    this.definitions = Object.freeze([...definitions])
    this.#byName = indexByName(this.definitions)
    checkPatterns(this.definitions)
    const clash = indexNameClash(this.definitions)
    if (clash !== null) throw new TypeError(clash)
    this.#index = new PatternIndex(this.definitions.map((definition) => [definition.pattern, definition]))
  }

  /** @throws TypeError as the constructor does. */
  add(...definitions: readonly AnyDefinition[]): Registry {
    return new Registry([...this.definitions, ...definitions])
  }

  /** The definition with the most specific pattern that matches the key. */
  find(key: Key): AnyDefinition | undefined {
    return this.#index.find(key)
  }

  /** The definition that was declared with exactly this pattern. */
  byPattern(pattern: Pattern): AnyDefinition | undefined {
    return this.definitions.find((definition) => compareSpecificity(definition.pattern, pattern) === 0)
  }

  byName(name: string): AnyDefinition | undefined {
    return this.#byName.get(name)
  }
}

function indexByName(definitions: readonly AnyDefinition[]): ReadonlyMap<string, AnyDefinition> {
  const byName = new Map<string, AnyDefinition>()
  for (const definition of definitions) {
    const other = byName.get(definition.name)
    if (other) {
      throw new TypeError(
        `Two schemas are named '${definition.name}', with the patterns ${formatPattern(other)} and ${formatPattern(definition)}: give one of them another name in its options`,
      )
    }
    byName.set(definition.name, definition)
  }
  return byName
}

function checkPatterns(definitions: readonly AnyDefinition[]): void {
  const sorted = definitions.toSorted((a, b) => compareSpecificity(a.pattern, b.pattern))
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1]!, sorted[i]!]
    if (compareSpecificity(a.pattern, b.pattern) === 0) {
      throw new TypeError(`'${a.name}' and '${b.name}' have the same pattern, ${formatPattern(a)}: drop one`)
    }
  }
}

function formatPattern({ pattern }: AnyDefinition): string {
  const parts = pattern.map((part) =>
    typeof part === 'string' ? `'${part}'` : typeof part === 'bigint' ? `${part}n` : String(part),
  )
  return `[${parts.join(', ')}]`
}

/** The format of values with the value types of these definitions, and with others. */
export function formatOf(
  definitions: Iterable<AnyDefinition>,
  others: readonly ValueType[] = [],
  errorStacks = false,
): ValueFormat {
  const types = [...definitions].flatMap(({ valueTypes = [] }) => valueTypes)
  return new ValueFormat([...types, ...others], errorStacks)
}
