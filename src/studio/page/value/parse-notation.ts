import { KvU64 } from '../../../value/kv-u64.ts'
import { errorClasses, typedArrayClasses } from '../../../value/native-classes.ts'
import { setOwn } from '../../../value/set-own.ts'
import { Untold } from '../../untold-type.ts'

/** What is wrong in a text, and where. */
class NotationError extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

const deepest = 500

/**
 * The value of a text in TypeScript's notation: JSON, and whatever `notationOf` writes. The text is parsed, never run. Throws a
 * NotationError for anything else.
 */
export function parseNotation(text: string): unknown {
  return new Reader(text).all()
}

class Reader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  all(): unknown {
    const value = this.#value()
    this.#space()
    if (this.#at < this.#text.length) this.#fail('nothing more may follow here')
    return value
  }

  #value(): unknown {
    this.#space()
    if (++this.#depth > deepest) this.#fail(`it is nested more than ${deepest} deep`)
    try {
      const next = this.#text[this.#at]
      if (next === '{') return this.#object()
      if (next === '[') return this.#list(']')
      if (next === "'" || next === '"') return this.#string()
      if (next === '/') return this.#pattern()
      if (next !== undefined && /[-+.\d]/.test(next)) return this.#number()
      return this.#word()
    } finally {
      this.#depth -= 1
    }
  }

  #object(): object {
    this.#at += 1
    const object = {}
    for (;;) {
      this.#space()
      if (this.#takes('}')) return object
      const name = this.#name()
      this.#space()
      if (!this.#takes(':')) this.#fail("expected a ':' and a value")
      setOwn(object, name, this.#value())
      this.#space()
      if (!this.#takes(',') && this.#text[this.#at] !== '}') this.#fail("expected a ',' or the closing '}'")
    }
  }

  #name(): string {
    const next = this.#text[this.#at]
    if (next === "'" || next === '"') return this.#string()
    return (
      this.#match(/[\p{ID_Start}$_][\p{ID_Continue}$]*|\d+/uy) ??
      this.#fail("expected a name or the closing '}'")
    )
  }

  #list(end: ']' | ')'): unknown[] {
    this.#at += 1
    const items: unknown[] = []
    for (;;) {
      this.#space()
      if (this.#takes(end)) return items
      items.push(this.#value())
      this.#space()
      if (!this.#takes(',') && this.#text[this.#at] !== end)
        this.#fail(`expected a ',' or the closing '${end}'`)
    }
  }

  #string(): string {
    const from = this.#at
    const literal = this.#match(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/sy)
    if (literal === null) return this.#fail('this text has no end')
    const inner = literal.slice(1, -1)
    return inner.replace(/\\(u\{[\da-f]+\}|u[\da-f]{4}|x[\da-f]{2}|.)/gis, (whole, code: string) => {
      if (/^[ux]./i.test(code))
        return String.fromCodePoint(Number.parseInt(code.replace(/[^\da-f]/gi, ''), 16))
      if (code === 'u' || code === 'x') throw new NotationError(`${whole} is not an escape`, from)
      return escapes[code] ?? code
    })
  }

  #pattern(): RegExp {
    const from = this.#at
    const literal = this.#match(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y)
    if (literal === null) return this.#fail('this regular expression has no end')
    const end = literal.lastIndexOf('/')
    return made(() => new RegExp(literal.slice(1, end), literal.slice(end + 1)), from)
  }

  #number(): number | bigint {
    const text = this.#match(/[-+]?(?:Infinity|(?:[\d_]+\.?[\d_]*|\.\d+)(?:e[-+]?\d+)?n?)/iy)
    if (text === null) return this.#fail('this is not a number')
    const digits = text.replaceAll('_', '')
    if (!digits.endsWith('n')) return Number(digits)
    if (!/^[-+]?\d+n$/.test(digits)) this.#fail('a bigint is whole: digits, and an n')
    return BigInt(digits.slice(0, -1).replace('+', ''))
  }

  #word(): unknown {
    const from = this.#at
    const word = this.#match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/uy)
    if (word === null) return this.#fail('expected a value')
    if (Object.hasOwn(words, word)) return words[word]
    if (word !== 'new') throw new NotationError(`${word} is not a value: put a text in quotes`, from)
    this.#space()
    const name = this.#match(/\w+/y) ?? this.#fail('expected the name of a class')
    const make = Object.hasOwn(makers, name) ? makers[name]! : null
    if (make === null)
      throw new NotationError(`There is no ${name} here, only ${Object.keys(makers).join(', ')}`, from)
    this.#space()
    if (this.#text[this.#at] !== '(') this.#fail("expected a '('")
    const args = this.#list(')')
    return made(() => make(...args), from)
  }

  #space(): void {
    this.#match(/(?:\s|\/\/[^\n]*|\/\*.*?\*\/)+/sy)
  }

  #takes(character: string): boolean {
    const isNext = this.#text[this.#at] === character
    if (isNext) this.#at += 1
    return isNext
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? null
    if (found !== null) this.#at += found.length
    return found
  }

  #fail(message: string): never {
    throw new NotationError(message, Math.min(this.#at, this.#text.length))
  }
}

const escapes: { readonly [code: string]: string } = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  v: '\v',
  0: '\0',
  '\n': '',
}

const words: { readonly [word: string]: unknown } = {
  true: true,
  false: false,
  null: null,
  undefined,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
}

type Maker = (...args: readonly unknown[]) => unknown

const makers: { readonly [name: string]: Maker } = {
  Date: (text) => {
    const date = new Date(text as string)
    if (Number.isNaN(date.getTime())) throw new TypeError(`${String(text)} is not a date`)
    return date
  },
  Map: (pairs) => new Map((pairs ?? []) as Iterable<[unknown, unknown]>),
  Set: (items) => new Set((items ?? []) as Iterable<unknown>),
  URL: (text) => new URL(text as string),
  RegExp: (source, flags) => new RegExp(source as string, flags as string | undefined),
  KvU64: (n) => new KvU64(n as bigint),
  ArrayBuffer: (items) => new Uint8Array(listOf(items)).buffer,
  DataView: (items) => new DataView(new Uint8Array(listOf(items)).buffer),
  Untold: (type, data) => new Untold(String(type), data),
  ...Object.fromEntries(
    [...typedArrayClasses].map(([name, TypedArray]): [string, Maker] => [
      name,
      (items) => new TypedArray(listOf(items) as never[]),
    ]),
  ),
  ...Object.fromEntries(
    [...errorClasses].map(([name, ErrorClass]): [string, Maker] => [
      name,
      (message, options) => new (ErrorClass as ErrorConstructor)(message as string, options as ErrorOptions),
    ]),
  ),
}

function listOf(items: unknown): number[] {
  if (!Array.isArray(items)) throw new TypeError('pass its elements in an array, new Uint8Array([1, 2])')
  return items
}

function made<T>(make: () => T, at: number): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof NotationError ? error : new NotationError((error as Error).message, at)
  }
}
