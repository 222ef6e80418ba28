import { format as formats } from '@cfworker/json-schema'

/**
 * The name of a format that stands for a pattern; `undefined` if the pattern is of another dialect. The validator itself only reads
 * patterns with the flag `u`. Without `flags`, a text fits if it matches with `u` or with no flag at all.
 */
export function patternFormat(pattern: string, flags: string | undefined): string | undefined {
  const name = `\0pattern ${flags ?? ''}/${pattern}`
  if (Object.hasOwn(formats, name)) return name
  try {
    const readings = (flags === undefined ? ['u', ''] : [flags]).map((it) => new RegExp(pattern, it))
    formats[name] = (text) => readings.some((reading) => text.search(reading) >= 0)
    return name
  } catch {
    return undefined
  }
}

/** The name of a format for `uri` as the libraries mean it: what `new URL` takes, or the standard allows. */
export const uriFormat = '\0uri'

const standardUri = formats['uri']
formats[uriFormat] = (text) => URL.canParse(text) || standardUri?.(text) === true
