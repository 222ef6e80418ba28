import { ArgumentRangeError, ArgumentTypeError } from '../../arguments/argument-error.ts'
import { checkOptionNames } from '../../arguments/option-names.ts'
import type { Key, KeyPart } from '../../contract/key.types.ts'
import { compareBytes, encodeKey, encodePrefix } from '../../key/codec.ts'
import { keyOfId, patternRange, wildcardCount } from '../../key/pattern.ts'
import type { IdOf, Pattern } from '../../key/pattern.types.ts'
import { contains, type KeyRange, prefixRange } from '../../key/range.ts'
import { checkIdKinds } from '../../key/typed-id.ts'
import type { AnyDefinition } from '../../schema/definition.types.ts'

/** Like `IdRange` of repository.types.ts, for any pattern. */
export interface UntypedIdRange {
  readonly prefix?: Key
  readonly start?: IdOf<Pattern>
  readonly end?: IdOf<Pattern>
}

/**
 * The keys of a definition with ids in a range. Throws a TypeError for an invalid id, or a `start` or `end` outside `prefix`; a
 * RangeError for a `start` after `end`, or a key of more than `maxBytes` bytes.
 */
export function idRange(definition: AnyDefinition, range: UntypedIdRange, maxBytes: number): KeyRange {
  const { pattern, idKinds, name: repository } = definition
  checkOptionNames(range, ['prefix', 'start', 'end'], 'a range of ids')
  const whole =
    range.prefix === undefined ? patternRange(pattern) : belowIds(definition, range.prefix, maxBytes)
  const bound = (name: 'start' | 'end'): Uint8Array => {
    const id = range[name]
    if (id === undefined) return whole[name]
    const parts = keyOfId(pattern, id)
    checkIdKinds(idKinds, parts, repository)
    const key = encodeKey(parts, maxBytes)
    if (!contains(whole, key))
      throw new ArgumentTypeError(`The ${name} of a range of ids must lie below its prefix`)
    return key
  }
  const { start, end } = { start: bound('start'), end: bound('end') }
  if (compareBytes(start, end) > 0) {
    throw new ArgumentRangeError(
      'The start of a range of ids comes after its end: swap them, and reverse the list',
    )
  }
  return { start, end }
}

/** The keys of a definition with these leading ids. */
function belowIds(definition: AnyDefinition, ids: readonly KeyPart[], maxBytes: number): KeyRange {
  const { pattern, idKinds, name } = definition
  if (!Array.isArray(ids))
    throw new ArgumentTypeError("prefix must be an array of the leading ids, such as ['alice']")
  if (ids.length > 0 && ids.length >= wildcardCount(pattern)) {
    throw new ArgumentTypeError(
      `prefix may fill the leading wildcards, at most ${Math.max(wildcardCount(pattern) - 1, 0)} here (got ${ids.length}): use get for a whole id`,
    )
  }
  if (ids.length === 0) return patternRange(pattern)
  let filled = 0
  const parts: KeyPart[] = []
  for (const part of pattern) {
    if (part === '*' && filled === ids.length) break
    parts.push(part === '*' ? ids[filled++]! : part)
  }
  checkIdKinds(idKinds, parts, name)
  return prefixRange(encodePrefix(parts, maxBytes))
}
