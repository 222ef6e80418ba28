import type { BetterAuthOptions } from 'better-auth'
import { createAdapterFactory, type DBAdapterInstance } from 'better-auth/adapters'
import { authRows, type InUnit, type RowsSource } from './adapters/auth-rows.ts'
import { type AuthSchema, schemasOf } from './adapters/auth-schemas.ts'
import type { AdapterOptions } from './adapters/text-keys.ts'
import { checkOptionNames } from './arguments/option-names.ts'
import type { Key } from './contract/key.types.ts'

export type { AdapterOptions, AuthSchema }

/** An open database with the schemas of `authSchemas`, and with any others. */
export type AuthDatabase = {
  repository(pattern: never): unknown
  unitOfWork(work: never): Promise<unknown>
}

const usualPrefix = ['auth']

/**
 * The schemas of the models that [better-auth](https://www.better-auth.com) has with these options, its plugins included: open the
 * database with them. Fields that are unique are so in the database, and those that better-auth looks up have an index.
 *
 * ```ts
 * const options = { emailAndPassword: { enabled: true } }
 * const auths = await Valkeyrie.withSchemas(authSchemas(options)).open()
 * auths.repository(['auth', 'user', '*']).name // => 'auth_user'
 * ```
 *
 * With another plugin, generate a migration as after any change of your schemas.
 */
export function authSchemas(
  options: BetterAuthOptions,
  { prefix = usualPrefix }: AdapterOptions = {},
): AuthSchema[] {
  return schemasOf(options, checkedPrefix(prefix, 'authSchemas'))
}

/**
 * A database adapter for [better-auth](https://www.better-auth.com): its users, sessions and accounts are rows of an open
 * database, below their own prefix: `['auth']` unless the options say otherwise. Its transactions are units of work, which may
 * run again if others have changed what they have read.
 *
 * ```ts
 * import { betterAuth } from 'better-auth'
 *
 * const options = { emailAndPassword: { enabled: true } }
 * const auths = await Valkeyrie.withSchemas(authSchemas(options)).open()
 * const auth = betterAuth({ ...options, database: authAdapter(auths), secret: 'at least 32 characters of your own' })
 * const body = { name: 'Alice', email: 'alice@example.com', password: 'correct horse' }
 * const { user } = await auth.api.signUpEmail({ body })
 * user.email // => 'alice@example.com'
 * ```
 *
 * Throws a TypeError if the database is not an open one, or the prefix is not a key.
 */
export function authAdapter(db: AuthDatabase, options: AdapterOptions = {}): DBAdapterInstance {
  checkOptionNames(options, ['prefix'], 'authAdapter')
  if (typeof db?.unitOfWork !== 'function')
    throw new TypeError(
      "authAdapter takes an open database: await Valkeyrie.withSchemas(authSchemas(options)).open('./auth.db')",
    )
  const prefix = checkedPrefix(options.prefix ?? usualPrefix, 'authAdapter')
  const config = {
    adapterId: 'valkeyrie',
    adapterName: 'valkeyrie',
    supportsJSON: true,
    supportsArrays: true,
    supportsDates: false,
  }
  const over =
    (source: RowsSource, inUnit: InUnit, transaction?: TransactionOf) => (auth: BetterAuthOptions) =>
      createAdapterFactory({
        config: { ...config, transaction: transaction?.(auth) ?? false },
        adapter: ({ getFieldName, options: { advanced } }) =>
          authRows({
            source,
            inUnit,
            prefix,
            countsIds: advanced?.database?.generateId === 'serial',
            fieldName: getFieldName,
          }),
      })(auth)
  const run: InUnit = (work) => db.unitOfWork(work as never) as never
  return over(
    db as never,
    run,
    (auth) => (callback) => run((unit) => callback(over(unit, (work) => work(unit))(auth) as never)),
  ) as DBAdapterInstance
}

type TransactionOf = (
  auth: BetterAuthOptions,
) => <T>(callback: (transaction: never) => Promise<T>) => Promise<T>

function checkedPrefix(prefix: Key, call: string): Key {
  if (Array.isArray(prefix) && prefix.length > 0) return prefix.slice()
  throw new TypeError(`The prefix of ${call} must be a key of at least one part, such as ['auth']`)
}
