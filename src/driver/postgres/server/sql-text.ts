/** A name as a statement has it. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as a literal. */
export function quoteText(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`
  return value.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** The time of the server, in milliseconds since the epoch: that at which the transaction began, and that of the moment. */
export const began = 'floor(extract(epoch from now()) * 1000)::bigint'
export const moment = 'floor(extract(epoch from clock_timestamp()) * 1000)::bigint'

/** Whether a row of `kv` has not expired. */
export const isAlive = `(kv.expires_at is null or kv.expires_at > ${began})`
