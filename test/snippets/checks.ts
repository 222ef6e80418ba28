import { inspect } from 'node:util'

const options = { depth: null, maxArrayLength: null, breakLength: Number.POSITIVE_INFINITY, compact: true }

/** Throws unless a call returns what the page at `where` says; `…` stands for any text. */
export async function expectResult(call: () => unknown, promise: string, where: string): Promise<void> {
  const printed = inspect(await call(), options)
  const actual = printed.replaceAll('[ ', '[').replaceAll(' ]', ']')
  const pattern = promise.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*')
  if (!new RegExp(`^${pattern}$`).test(actual)) {
    throw new Error(`${where} promises ${promise}\n and the result is ${actual}`)
  }
}

/** Throws unless a call throws an error of this name. */
export async function expectThrown(call: () => unknown, name: string, where: string): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (error instanceof Error && error.name === name) return
    throw new Error(`${where} promises ${name}, and another error is thrown`, { cause: error })
  }
  throw new Error(`${where} promises ${name}, and nothing is thrown`)
}
