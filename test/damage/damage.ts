import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { KvU64, Valkeyrie } from 'valkeyrie'
import { z } from 'zod'
import { randomOf } from '../concurrency/random.ts'

const user = z.object({ email: z.string(), age: z.int(), born: z.date().optional() })

/** What the files hold, and what the program that works on them declares. */
export const schemas = Valkeyrie.withSchema(['users', '*'], user, {
  indexes: [{ on: 'email', unique: true }, { on: 'age' }],
}).withSchema(['users', '*', 'posts', '*'], z.object({ title: z.string() }), { name: 'posts' })

/** Two sound files: one with its last commits in the WAL, one without any WAL. Each damaged file is a copy of one. */
export async function soundFiles(folder: string): Promise<readonly string[]> {
  const [checkpointed, inWal] = [`${folder}/sound-0.db`, `${folder}/sound-1.db`]
  const db = await schemas.open(checkpointed, { log: { values: true } })
  const { users, posts } = db.repositories
  for (let n = 0; n < 40; n++) {
    await users.set(`u${n}`, { email: `e${n}`, age: n % 7, ...(n % 3 === 0 ? { born: new Date(n) } : {}) })
    await posts.set([`u${n}`, n], { title: 'x'.repeat(n % 9 === 0 ? 6_000 : n) }, { expireIn: 3_600_000 })
    await db.set(['misc', n], n % 4 === 0 ? new Map([[n, new Set([1n])]]) : new Uint8Array(n))
  }
  await db.set(['count'], new KvU64(7n))
  await users.delete('u3')
  db.drizzle.$client.pragma('wal_checkpoint(TRUNCATE)')
  copyFileSync(checkpointed, inWal)
  for (let n = 0; n < 20; n++) await users.set(`w${n}`, { email: `w${n}`, age: n })
  copyFileSync(`${checkpointed}-wal`, `${inWal}-wal`)
  copyFileSync(checkpointed, `${folder}/sound-2.db`)
  await db.close()
  return [checkpointed, inWal]
}

type Random = () => number
const below = (random: Random, end: number) => Math.floor(random() * end)
const oneOf = <T>(random: Random, all: readonly T[]): T => all[below(random, all.length)]!

/** Makes a damaged file of a sound one, the same for the same seed, and says what it did. */
export function damagedFile(sound: readonly string[], path: string, seed: number): string {
  const random = randomOf(seed)
  const original = oneOf(random, sound)
  for (const suffix of ['', '-wal']) {
    if (existsSync(`${original}${suffix}`)) copyFileSync(`${original}${suffix}`, `${path}${suffix}`)
  }
  const kind = oneOf(random, [
    'bytes',
    'bytes',
    'page',
    'truncated',
    'wal',
    'sql',
    'sql',
    'sql',
    'sql',
    'values',
  ])
  if (kind === 'sql') return writeNonsense(path, random)
  if (kind === 'values') return changeSomeBytes(path, random)
  const file = kind === 'wal' && existsSync(`${path}-wal`) ? `${path}-wal` : path
  const bytes = readFileSync(file)
  if (kind === 'page') {
    const page = below(random, bytes.length / 4096) * 4096
    const from = oneOf(random, [0, 4096 * below(random, bytes.length / 4096)])
    if (random() < 0.3) bytes.fill(random() < 0.5 ? 0 : 0xff, page, page + 4096)
    else bytes.copy(bytes, page, from, from + 4096)
  } else if (kind === 'truncated' || random() < 0.3) {
    writeFileSync(file, bytes.subarray(0, below(random, bytes.length)))
    return `${kind} ${file} shortened`
  } else {
    // The header is a small part of a file, and all that is read hangs on it.
    for (let n = below(random, 20) + 1; n > 0; n--) {
      const end = random() < 0.1 ? 100 : bytes.length
      bytes[below(random, end)] = below(random, 256)
    }
  }
  writeFileSync(file, bytes)
  return kind
}

/** Has SQL change rows of a closed file as damage does: the indexes over fields of values know nothing of it. */
export function changeBehindIndexes(path: string, change: (file: Database.Database) => void): void {
  const rewrite = (from: string, to: string) => {
    const file = new Database(path)
    file.unsafeMode()
    file.pragma('writable_schema = 1')
    file
      .prepare("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE type = 'index' AND sql LIKE '%->>%'")
      .run(from, to)
    file.close()
  }
  // No row is of this collection.
  rewrite("collection = '", "collection = 'hidden ")
  const file = new Database(path)
  change(file)
  file.close()
  rewrite("collection = 'hidden ", "collection = '")
}

/** A byte that replaces another one in the value of a row; places wrap around. */
export interface ChangedByte {
  readonly key: Uint8Array
  readonly place: number
  readonly byte: number
}

/** Changes bytes of values, which no index notices; whether each of them is JSON still. */
export function changeBytes(path: string, changes: readonly ChangedByte[]): boolean[] {
  const areJson: boolean[] = []
  changeBehindIndexes(path, (file) => {
    const read = file
      .prepare<[Uint8Array], Buffer>('SELECT CAST(value AS BLOB) FROM kv WHERE key = ?')
      .pluck()
    const write = file.prepare(
      "UPDATE kv SET value = iif(typeof(value) = 'blob', @bytes, CAST(@bytes AS TEXT)) WHERE key = @key",
    )
    const isJson = file
      .prepare<[Uint8Array], number>('SELECT json_valid(value) FROM kv WHERE key = ?')
      .pluck()
    for (const { key, place, byte } of changes) {
      const bytes = read.get(key)!
      bytes[place % bytes.length] = byte
      write.run({ bytes, key })
      areJson.push(isJson.get(key) === 1)
    }
  })
  return areJson
}

const columns = {
  kv: ['key', 'collection', 'encoding', 'types', 'version', 'expires_at', 'value'],
  kv_log: ['version', 'at', 'changes'],
  kv_collections: ['name', 'pattern', 'schema', 'version', 'indexes', '"references"', 'migrated'],
} as const

const texts = [
  '',
  'x',
  '{',
  '[]',
  'null',
  '7',
  '"x"',
  '{"__proto__":{"a":1}}',
  '[["a"]]',
  '["users","*"]',
  '["*","*"]',
  '{"values":{"a":["Date"]},"v":1}',
  '{"values":["map"],"v":1}',
  '{"values":{"__proto__":["Date"]}}',
  '{"values":[["typed-array","Float64Array"]],"v":1}',
  '{"length":100000000}',
  '{"referentialEqualities":{"a":["b"]}}',
  '[{"fields":["email"],"unique":true}]',
  '{"email":"e1","age":1}',
  '\u0000',
  '9'.repeat(500),
  'users',
  'posts',
]
const blobs = [
  '',
  '00',
  'ff',
  '022a00',
  '02757365727300022a00',
  '0275736572730002613100',
  '01ff',
  '01ffffffff0f',
  '81010200ffff7f',
  '0102022a00',
  '210000000000000000',
  '0bff',
  '1dff',
  '15',
  'c3',
  '0000000000000000',
  '8000000000',
]
const numbers = [
  '0',
  '1',
  '-1',
  '-10',
  '3',
  '7',
  '1.5',
  '-0.0',
  '1e308',
  '9007199254740991',
  '9007199254740992',
  '9223372036854775807',
  '-9223372036854775808',
  '1735689600000',
]

function nonsense(random: Random): string {
  const kind = random()
  if (kind < 0.1) return 'NULL'
  if (kind < 0.45) return oneOf(random, numbers)
  if (kind < 0.75) return `'${oneOf(random, texts).replaceAll("'", "''")}'`
  if (kind < 0.9) return `x'${oneOf(random, blobs)}'`
  return `randomblob(${below(random, 40)})`
}

/** Some bytes of some values have changed, and the indexes over their fields know nothing of it. */
function changeSomeBytes(path: string, random: Random): string {
  const file = new Database(path)
  const keys = file.prepare<[], Buffer>('SELECT key FROM kv').pluck().all()
  file.close()
  const changes = Array.from({ length: below(random, 4) + 1 }, () => {
    return { key: oneOf(random, keys), place: below(random, 10_000), byte: below(random, 256) }
  })
  changeBytes(path, changes)
  const said = changes.map(({ key, place, byte }) => `x'${key.toString('hex')}' has ${byte} at ${place}`)
  return `in the values, ${said.join('; ')}`
}

/** Some columns of some rows hold what nobody would write there. */
function writeNonsense(path: string, random: Random): string {
  const file = new Database(path)
  const said: string[] = []
  try {
    file.pragma('ignore_check_constraints = 1')
    for (let n = below(random, 4) + 1; n > 0; n--) {
      const table = oneOf(random, Object.keys(columns) as (keyof typeof columns)[])
      const column = oneOf<string>(random, columns[table])
      const some =
        random() < 0.7
          ? `WHERE rowid IN (SELECT rowid FROM ${table} LIMIT 1 OFFSET ${below(random, 60)})`
          : ''
      const statement = `UPDATE OR IGNORE ${table} SET ${column} = ${nonsense(random)} ${some}`
      said.push(statement)
      try {
        file.exec(statement)
      } catch {
        // A constraint keeps it out.
      }
    }
  } finally {
    file.close()
  }
  return said.join('; ')
}
