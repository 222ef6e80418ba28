import { KvU64 } from '../../../value/kv-u64.ts'
import { Untold } from '../../untold-type.ts'

/** How a value is written. */
export interface Notation {
  /** On several lines, one for each member. Default: on one. */
  readonly lines?: boolean
  /** Roughly the most characters: beyond them, an ellipsis replaces the rest. */
  readonly most?: number
}

/** A value in TypeScript's notation, which `parseNotation` reads: `{ born: new Date('1815-12-10T00:00:00.000Z'), copies: 12n }`. */
export function notationOf(
  value: unknown,
  { lines = false, most = Number.POSITIVE_INFINITY }: Notation = {},
): string {
  return new Writer(lines, most).write(value, '')
}

class Writer {
  readonly #lines: boolean
  readonly #within = new Set<object>()
  #left: number

  constructor(lines: boolean, most: number) {
    this.#lines = lines
    this.#left = most
  }

  write(value: unknown, indent: string): string {
    if (typeof value === 'object' && value !== null) return this.#writeObject(value, indent)
    const text = scalarText(value)
    this.#left -= text.length
    return text
  }

  #writeObject(value: object, indent: string): string {
    if (this.#within.has(value)) return '…itself'
    this.#within.add(value)
    try {
      return this.#members(value, indent)
    } finally {
      this.#within.delete(value)
    }
  }

  #members(value: object, indent: string): string {
    const list = (items: Iterable<unknown>) =>
      this.#enclose('[', ']', items, indent, (item, inner) => this.write(item, inner))
    if (Array.isArray(value)) return list(value)
    if (value instanceof Date) return this.#whole(`new Date(${textLiteral(dateText(value))})`)
    if (value instanceof RegExp) return this.#whole(String(value))
    if (value instanceof URL) return this.#whole(`new URL(${textLiteral(value.href)})`)
    if (value instanceof KvU64) return this.#whole(`new KvU64(${value.value}n)`)
    if (value instanceof Map) return `new Map(${list(value)})`
    if (value instanceof Set) return `new Set(${list(value)})`
    if (value instanceof ArrayBuffer) return `new ArrayBuffer(${list(new Uint8Array(value))})`
    if (value instanceof DataView)
      return `new DataView(${list(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))})`
    if (ArrayBuffer.isView(value)) return `new ${value.constructor.name}(${list(value as Uint8Array)})`
    if (value instanceof Error) return this.#error(value, indent)
    if (value instanceof Untold)
      return `new Untold(${textLiteral(value.type)}, ${this.write(value.data, indent)})`
    return this.#enclose('{', '}', Object.entries(value), indent, ([name, member], inner) => {
      const shown = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : textLiteral(name)
      this.#left -= shown.length + 2
      return `${shown}: ${this.write(member, inner)}`
    })
  }

  #error(error: Error, indent: string): string {
    const cause = 'cause' in error ? `, { cause: ${this.write(error.cause, indent)} }` : ''
    return `new ${error.name}(${textLiteral(error.message)}${cause})`
  }

  #whole(text: string): string {
    this.#left -= text.length
    return text
  }

  #enclose<T>(
    open: string,
    close: string,
    items: Iterable<T>,
    indent: string,
    write: (item: T, indent: string) => string,
  ): string {
    const inner = this.#lines ? `${indent}  ` : ''
    const texts: string[] = []
    for (const item of items) {
      if (this.#left <= 0) {
        texts.push('…')
        break
      }
      texts.push(write(item, inner))
    }
    if (texts.length === 0) return open + close
    const isShort = texts.join(', ').length <= 60 && !texts.some((text) => text.includes('\n'))
    const space = open === '{' ? ' ' : ''
    if (!this.#lines || (isShort && indent !== ''))
      return `${open}${space}${texts.join(', ')}${space}${close}`
    return `${open}\n${texts.map((text) => `${inner}${text},\n`).join('')}${indent}${close}`
  }
}

function scalarText(value: unknown): string {
  if (typeof value === 'string') return textLiteral(value)
  if (typeof value === 'bigint') return `${value}n`
  return Object.is(value, -0) ? '-0' : String(value)
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'invalid' : date.toISOString()
}

/** A text in single quotes, with invisible characters and quotes escaped. */
function textLiteral(text: string): string {
  const quoted = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return `'${quoted.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped)}'`
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`
}
