import { KvU64 } from '../../../value/kv-u64.ts'
import { notationOf } from '../value/notation.ts'

const longest = 160

/** The kind of a value, for its colour, and its text in one line. Nothing of a value ever becomes markup. */
export function shownValue(value: unknown): { readonly kind: string; readonly text: string } {
  if (value === undefined) return { kind: 'missing', text: '' }
  if (value === null) return { kind: 'null', text: 'null' }
  if (typeof value === 'string') return { kind: 'text', text: shortened(visible(value)) }
  if (typeof value === 'number') return { kind: 'number', text: Object.is(value, -0) ? '-0' : String(value) }
  if (typeof value === 'bigint') return { kind: 'number', text: shortened(`${value}n`) }
  if (typeof value === 'boolean') return { kind: 'boolean', text: String(value) }
  if (value instanceof Date) return { kind: 'date', text: dateText(value) }
  if (value instanceof KvU64) return { kind: 'number', text: `${value.value}` }
  if (value instanceof Uint8Array) return { kind: 'bytes', text: bytesText(value) }
  if (value instanceof URL) return { kind: 'text', text: shortened(value.href) }
  if (value instanceof Map) return { kind: 'object', text: `Map(${value.size}) ${pairsText(value)}` }
  if (value instanceof Set)
    return { kind: 'object', text: `Set(${value.size}) ${notationOf([...value], { most: longest })}` }
  return { kind: 'object', text: notationOf(value, { most: longest }) }
}

/** A value in one line. */
export function ValueText({ value }: { readonly value: unknown }) {
  const { kind, text } = shownValue(value)
  return <span class={`value ${kind}`}>{text}</span>
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime())
    ? 'invalid date'
    : date.toISOString().replace('T', ' ').replace('.000Z', 'Z')
}

function bytesText(bytes: Uint8Array): string {
  const digits = Array.from(bytes.subarray(0, 24), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${bytes.length} bytes ${digits}${bytes.length > 24 ? '…' : ''}`
}

function pairsText(map: Map<unknown, unknown>): string {
  const pairs = [...map]
    .slice(0, 8)
    .map(([key, value]) => `${notationOf(key, { most: 40 })} → ${notationOf(value, { most: 40 })}`)
  return `{${pairs.join(', ')}${map.size > 8 ? ', …' : ''}}`
}

function shortened(text: string): string {
  return text.length > 2 * longest ? `${text.slice(0, 2 * longest)}…` : text
}

/** Shows line breaks, and characters that are invisible or change the direction of text, as symbols. */
function visible(text: string): string {
  return text
    .slice(0, 4 * longest)
    .replaceAll('\n', '⏎')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '�')
}
