import { Valkeyrie } from 'valkeyrie'
import { userSchema } from '../values/user.ts'
import type { ServerContender } from './contender.ts'

export const valkeyrie: ServerContender = {
  name: 'valkeyrie',
  note: 'by repository; values validated by a Zod schema',
  async open(address) {
    const db = await Valkeyrie.withSchema(['users', '*'], userSchema, { indexes: [{ on: 'age' }] }).open(
      address,
    )
    const { users } = db.repositories
    return {
      load: (entries) => users.insertMany(entries),
      get: async (id) => (await users.get(id)).value,
      async page(age) {
        const found = await users.findMany({ where: { age }, orderBy: { age: 'asc' }, limit: 20 })
        return found.map(({ value }) => value)
      },
      set: (id, user) => users.set(id, user),
      setsAtOnce: (entries) => Promise.all(entries.map(([id, user]) => users.set(id, user))),
      async atomic(entries) {
        const operation = db.atomic()
        for (const [id, user] of entries) operation.set(['users', id], user)
        const { ok } = await operation.commit()
        if (!ok) throw new Error('the commit conflicts')
      },
      swapAges: (idOfA, idOfB) =>
        db.unitOfWork(async ({ repositories }) => {
          const [a, b] = await repositories.users.getMany([idOfA, idOfB])
          const { age } = a!.value!
          a!.value!.age = b!.value!.age
          b!.value!.age = age
        }),
      close: () => db.close(),
    }
  },
}
