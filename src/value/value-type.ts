import { checkNames } from '../arguments/option-names.ts'
import { errorClasses, typedArrayClasses } from './native-classes.ts'

/** How to store and restore instances of a class. Make it with `defineValueType`. */
// biome-ignore lint/suspicious/noExplicitAny: a list holds types of any class, and each makes its own data.
export interface ValueType<T = any, Data = any> {
  /** Its name in the file. Do not change it later. */
  readonly name: string
  /** The class whose instances it stores, without derived classes. Either this or `is`. */
  readonly class?: (abstract new (...args: never) => T) | undefined
  /** Whether it stores this object, which no other type stores. Either this or `class`. */
  readonly is?: ((value: object) => boolean) | undefined
  /**
   * What to store for it: any value that can be stored, other types included. Return the same for equal instances.
   *
   * ```ts
   * point.encode(new Point(3)) // => 3
   * ```
   */
  readonly encode: (value: T) => Data
  /**
   * Restores the instance from the result of `encode`.
   *
   * ```ts
   * point.decode(3).x // => 3
   * ```
   */
  readonly decode: (data: Data) => T
}

const names = ['name', 'class', 'is', 'encode', 'decode']
const longestName = 100

/** Classes that are stored anyway, so a value type for them would never be used. */
const storedClasses = new Set<unknown>([
  Object,
  Array,
  Map,
  Set,
  Date,
  RegExp,
  URL,
  ArrayBuffer,
  DataView,
  ...typedArrayClasses.values(),
  ...errorClasses.values(),
])

/**
 * Declares how to store instances of a class, for `valueTypes` of `open` and of `defineSchema`. They may be anywhere in a value.
 * The result of `encode` is stored as JSON like the rest of the value, so SQL and queries see it.
 *
 * ```ts
 * class Money {
 *   cents: bigint
 *   constructor(cents: bigint) {
 *     this.cents = cents
 *   }
 * }
 * const money = defineValueType({
 *   name: 'Money',
 *   class: Money,
 *   encode: (value) => ({ cents: value.cents }),
 *   decode: ({ cents }) => new Money(cents),
 * })
 * const pen = z.object({ price: z.instanceof(Money) })
 * const shop = await Valkeyrie.withSchema(['pens', '*'], pen, { valueTypes: [money] }).open()
 * await shop.repositories.pens.set('red', { price: new Money(250n) })
 * const red = await shop.repositories.pens.get('red')
 * red.value?.price.cents // => 250n
 * ```
 *
 * Every process that reads such a value needs its type: without it, the read is a CorruptValueError that names the type. Throws a
 * TypeError if the name, the class or a function is not valid.
 */
export function defineValueType<T, Data>(type: ValueType<T, Data>): ValueType<T, Data> {
  checkValueType(type)
  return Object.freeze({ ...type })
}

/** Throws a TypeError if this is not a list of value types. */
export function checkValueTypes(types: readonly ValueType[], call: string): void {
  if (!Array.isArray(types))
    throw new TypeError(`valueTypes of ${call} must be an array: make each type with defineValueType`)
  for (const type of types) checkValueType(type)
}

function checkValueType(type: ValueType): void {
  if (typeof type !== 'object' || type === null)
    throw new TypeError('A value type is { name, class, encode, decode }: make it with defineValueType')
  checkNames(type, names, 'a value type', 'property')
  const { name, class: ofClass, is, encode, decode } = type
  if (typeof name !== 'string' || name === '' || name.length > longestName || !name.isWellFormed())
    throw new TypeError(
      `The name of a value type must be text of 1 to ${longestName} characters, such as 'Money'`,
    )
  if (typeof encode !== 'function' || typeof decode !== 'function')
    throw new TypeError(`The value type '${name}' needs two functions, encode and decode`)
  if ((ofClass === undefined) === (is === undefined))
    throw new TypeError(
      `The value type '${name}' needs either a class, or a function is that recognizes its values`,
    )
  if (is !== undefined && typeof is !== 'function')
    throw new TypeError(`is of the value type '${name}' must be a function that recognizes its values`)
  if (ofClass === undefined) return
  if (typeof ofClass !== 'function' || typeof ofClass.prototype !== 'object')
    throw new TypeError(`class of the value type '${name}' must be a class, such as Money`)
  if (storedClasses.has(ofClass))
    throw new TypeError(`Instances of ${ofClass.name} are stored without a value type: drop '${name}'`)
}
