import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const program = `
  import { registerHooks } from 'node:module'
  registerHooks({
    resolve(name, context, next) {
      if (name !== 'pg') return next(name, context)
      throw Object.assign(new Error("Cannot find package 'pg'"), { code: 'ERR_MODULE_NOT_FOUND' })
    },
  })
  const { Valkeyrie } = await import('valkeyrie')
  await (await Valkeyrie.open()).close()
  const error = await Valkeyrie.open('postgres://bob:secret@127.0.0.1:1/shop').catch((error) => error)
  console.log(JSON.stringify({ code: error.code, message: error.message }))
`

test('without pg, the error says what to install, and other databases open', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program])
  expect(JSON.parse(stdout)).toEqual({
    code: 'DATABASE_OPEN',
    message:
      'Cannot open postgres://127.0.0.1:1/shop: PostgreSQL needs the package pg, which is not installed: run "npm install pg"',
  })
})
