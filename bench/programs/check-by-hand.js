// Holds every city and country of a file against its schema, by better-sqlite3 and Zod alone: what `valkeyrie check` does beside
// comparing the file with the migrations.
import Database from 'better-sqlite3'
import { cities } from '../../schemas/cities.ts'
import { countries } from '../../schemas/countries.ts'

const db = new Database(process.argv[2], { readonly: true })
for (const { name, schema } of [countries, cities]) {
  const rows = db.prepare('SELECT value FROM kv WHERE collection = ?').pluck()
  for (const value of rows.iterate(name)) schema.parse(JSON.parse(value))
}
db.close()
