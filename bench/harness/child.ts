import { fork } from 'node:child_process'
import { once } from 'node:events'

/** What a program offers to the process that started it. */
// biome-ignore lint/suspicious/noExplicitAny: each function has parameters of its own
type Functions = Readonly<Record<string, (...given: any[]) => unknown>>

/** A process that runs the functions of a program of bench/programs, one at a time. It ends when it goes out of scope. */
export interface Child<Program extends Functions> extends Disposable {
  call<Name extends keyof Program & string>(
    name: Name,
    ...given: Parameters<Program[Name]>
  ): Promise<Awaited<ReturnType<Program[Name]>>>
}

export async function startChild<Program extends Functions>(program: string): Promise<Child<Program>> {
  const script = new URL(`../programs/${program}.ts`, import.meta.url)
  const child = fork(script, { serialization: 'advanced' })
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the program ${program} has ended (${code ?? signal})`)
  })
  // Ending it is no failure while nobody waits for an answer.
  ended.catch(() => {})
  const answer = async () => (await Promise.race([once(child, 'message'), ended]))[0]
  await answer()
  return {
    call(name, ...given) {
      // One that has ended cannot be told, and its end is the answer.
      child.send([name, ...given], () => {})
      return answer()
    },
    [Symbol.dispose]: () => void child.kill(),
  }
}

/** So many processes of one program. */
export async function startChildren<Program extends Functions>(
  program: string,
  count: number,
): Promise<Disposable & { readonly all: readonly Child<Program>[] }> {
  const all = await Promise.all(Array.from({ length: count }, () => startChild<Program>(program)))
  return {
    all,
    [Symbol.dispose]() {
      for (const child of all) child[Symbol.dispose]()
    },
  }
}

/** Offers these functions to the process that started this one, and ends with it. */
export function serveParent<Program extends Functions>(functions: Program): void {
  process.on('message', async ([name, ...given]: [keyof Program, ...unknown[]]) =>
    process.send!((await functions[name]!(...given)) ?? null),
  )
  process.once('disconnect', () => process.exit())
  process.send!('ready')
}
