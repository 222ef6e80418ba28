import type { ValueType } from './value-type.ts'

/** What a database can store beyond the kinds that every database can. */
export class ValueFormat {
  /** Whether the stack of an error is stored. */
  readonly errorStacks: boolean
  readonly #byName = new Map<string, ValueType>()
  readonly #byPrototype = new Map<object, ValueType>()
  readonly #byTest: ValueType[] = []

  /** Throws a TypeError if two types have one name or one class. */
  constructor(types: Iterable<ValueType> = [], errorStacks = false) {
    this.errorStacks = errorStacks
    for (const type of new Set(types)) {
      if (this.#byName.has(type.name))
        throw new TypeError(`Two value types are named '${type.name}': give one of them another name`)
      this.#byName.set(type.name, type)
      if (type.class === undefined) {
        this.#byTest.push(type)
        continue
      }
      const { prototype } = type.class
      const other = this.#byPrototype.get(prototype)
      if (other !== undefined)
        throw new TypeError(
          `The value types '${other.name}' and '${type.name}' have the same class, ${type.class.name}: drop one`,
        )
      this.#byPrototype.set(prototype, type)
    }
  }

  /** The value type that stores this object. */
  find(value: object): ValueType | undefined {
    if (this.#byName.size === 0) return undefined
    return (
      this.#byPrototype.get(Object.getPrototypeOf(value)) ??
      this.#byTest.find((type) => type.is?.(value) === true)
    )
  }

  named(name: string): ValueType | undefined {
    return this.#byName.get(name)
  }
}

/** The format of a database without value types. */
export const plainFormat = new ValueFormat()
