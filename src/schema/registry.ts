import type { Key } from '../contract/key.types.ts'
import { compareSpecificity } from '../key/pattern.ts'
import type { Pattern } from '../key/pattern.types.ts'
import { PatternIndex } from '../key/pattern-index.ts'
import { patternText } from '../key/pattern-text.ts'
import { ValueFormat } from '../value/value-format.ts'
import type { ValueType } from '../value/value-type.ts'
import type { AnyDefinition } from './definition.types.ts'
import { IndexNames } from './index-name.ts'

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
  readonly #byName: Map<string, AnyDefinition>
  readonly #patterns: Set<string>
  readonly #indexNames: IndexNames
  #index: PatternIndex<AnyDefinition> | undefined

  /**
   * `earlier`: those before the definitions, which are not checked again.
   *
   * @throws TypeError if two definitions have the same name or the same pattern, or their indexes would have one name.
   */
  constructor(definitions: Iterable<AnyDefinition> = [], earlier?: Registry) {
    const added = [...definitions]
    this.definitions = Object.freeze([...(earlier?.definitions ?? []), ...added])
    this.#byName = new Map(earlier === undefined ? [] : earlier.#byName)
    this.#patterns = new Set(earlier === undefined ? [] : earlier.#patterns)
    this.#indexNames = earlier === undefined ? new IndexNames() : earlier.#indexNames.copy()
    for (const definition of added) this.#take(definition)
  }

  /** @throws TypeError as the constructor does. */
  add(...definitions: readonly AnyDefinition[]): Registry {
    return new Registry(definitions, this)
  }

  /** The definition with the most specific pattern that matches the key. */
  find(key: Key): AnyDefinition | undefined {
    this.#index ??= new PatternIndex(this.definitions.map((definition) => [definition.pattern, definition]))
    return this.#index.find(key)
  }

  /** The definition that was declared with exactly this pattern. */
  byPattern(pattern: Pattern): AnyDefinition | undefined {
    return this.definitions.find((definition) => compareSpecificity(definition.pattern, pattern) === 0)
  }

  byName(name: string): AnyDefinition | undefined {
    return this.#byName.get(name)
  }

  #take(definition: AnyDefinition): void {
    const { name, pattern } = definition
    const named = this.byName(name)
    if (named !== undefined) {
      throw new TypeError(
        `Two schemas are named '${name}', with the patterns ${formatPattern(named)} and ${formatPattern(definition)}: give one of them another name in its options`,
      )
    }
    this.#byName.set(name, definition)
    const text = patternText(pattern)
    if (this.#patterns.has(text)) {
      const { name: other } = this.byPattern(pattern)!
      throw new TypeError(
        `'${other}' and '${name}' have the same pattern, ${formatPattern(definition)}: drop one`,
      )
    }
    this.#patterns.add(text)
    const clash = this.#indexNames.add(definition)
    if (clash !== null) throw new TypeError(clash)
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
