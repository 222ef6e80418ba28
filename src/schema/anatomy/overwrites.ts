import { normalizerOf } from './normalizer.ts'

/** A check of a Zod schema, as far as it tells whether it replaces the value. */
interface Overwriting {
  readonly _zod: { readonly def: { readonly check?: string; readonly tx?: unknown } }
}

export function isOverwrite({ _zod }: Overwriting): boolean {
  return _zod.def.check === 'overwrite'
}

/** Formats that do not depend on upper and lower case. */
const keptFormats: ReadonlySet<string> = new Set([
  'email',
  'url',
  'uuid',
  'guid',
  'hex',
  'e164',
  'ipv4',
  'ipv6',
  'mac',
])

/** Whether what has this format has it after these checks too. */
export function keepsFormat(format: string | undefined, checks: readonly Overwriting[]): boolean {
  const methods = checks.filter(isOverwrite).map(({ _zod }) => normalizerOf(_zod.def.tx))
  return format !== undefined && keptFormats.has(format) && !methods.includes(null)
}
