/** A quoted name. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as a literal. */
export function quoteText(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** The server's time in milliseconds since the epoch: when the transaction began, and now. */
export const began = 'floor(extract(epoch from now()) * 1000)::bigint'
export const moment = 'floor(extract(epoch from clock_timestamp()) * 1000)::bigint'

/** Whether a row of `kv` has not expired. */
export const isAlive = `(kv.expires_at is null or kv.expires_at > ${began})`
