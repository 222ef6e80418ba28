// A program that becomes one file: CommonJS, in which nothing is awaited outside of a function.
import { Valkeyrie } from 'valkeyrie'
import { defineSchema } from 'valkeyrie/schema'
import { z } from 'zod'

const users = defineSchema(['users', '*'], z.object({ name: z.string(), age: z.int() }), {
  indexes: [{ on: 'age' }],
})

async function main(): Promise<void> {
  const path = process.argv[2]!
  const db = await Valkeyrie.withSchemas([users]).open(path)
  await db.repositories.users.set('alice', { name: 'Alice', age: 30 })
  await db.repositories.users.set('bob', { name: 'Bob', age: 3 })
  const adults = await db.repositories.users.findMany({ where: { age: { gte: 18 } } })
  const { rows } = await db.backup(`${path}.backup`)
  await db.close()
  const { findings } = await Valkeyrie.verify(path)
  console.log(JSON.stringify({ found: adults.map(({ value }) => value.name), rows, problems: findings }))
}

main()
