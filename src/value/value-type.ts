/** How the instances of a class are stored: what they are made into, and made of again. */
// biome-ignore lint/suspicious/noExplicitAny: a list holds types of any class, and each makes its own data.
export interface ValueType<T = any, Data = any> {
  /** What the file calls it, which is to stay as it is. */
  readonly name: string
  /** The class whose instances it stores; not those of a class derived from it. This or `is`. */
  readonly class?: (abstract new (...args: never) => T) | undefined
  /** Whether it stores this object, which is of no class that is stored otherwise. This or `class`. */
  readonly is?: ((value: object) => boolean) | undefined
  /** What is stored for it: anything that can be, other types within it too. The same for equal values. */
  readonly encode: (value: T) => Data
  /** The instance that `encode` has made this of. */
  readonly decode: (data: Data) => T
}
