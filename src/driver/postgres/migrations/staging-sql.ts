/** The new values of a step, until all of them are ready to go into `kv` at once. */
export const stagingTable = '__valkeyrie_staged'

/** Creates it in the quoted schema `s`. */
export function createStaging(s: string): string {
  return `create table if not exists ${s}.${stagingTable} (
  step text, key bytea, version bigint not null, value json, raw bytea, encoding smallint not null, types json, meanings json, error text,
  primary key (step, key)
)`
}

export function dropStaging(s: string): string {
  return `drop table if exists ${s}.${stagingTable}`
}
