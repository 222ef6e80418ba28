import { inspect, styleText } from 'node:util'
import type { Atlas } from './atlas.ts'

/** A part of the walk. To add one, write a module in chapters/ and name it in atlas.ts. */
export interface Chapter {
  readonly title: string
  tell(atlas: Atlas, show: Show): Promise<void>
}

/** Makes a call, and prints it as it is written here with what came of it: its result, or the error that it threw. */
type Show = (call: () => unknown) => Promise<void>

export async function tellChapter({ title, tell }: Chapter, atlas: Atlas): Promise<void> {
  console.log(`\n${styleText('bold', title)}`)
  await tell(atlas, show)
}

const show: Show = async (call) => {
  console.log(`\n${indent(styleText('cyan', sourceOf(call)), '> ')}`)
  try {
    console.log(indent(format(await call()), '→ '))
  } catch (error) {
    console.log(indent(formatError(error), '✗ '))
  }
}

/** The text of an arrow function's body, moved to the left margin. */
function sourceOf(call: () => unknown): string {
  const body = call.toString().replace(/^(?:async )?\(\) =>[ \n](\s*)(?:await )?/, '$1')
  const lines = body.startsWith('{') ? body.split('\n').slice(1, -1) : body.split('\n')
  const margin = indentation(lines[0]) || indentation(lines.at(-1))
  return lines.map((line) => line.slice(Math.min(margin, indentation(line)))).join('\n')
}

const indentation = (line = '') => line.search(/\S|$/)

function format(value: unknown): string {
  return inspect(value, { colors: process.stdout.isTTY, depth: 4, maxArrayLength: 5, breakLength: 100 })
}

/** An error by its fields, which code can decide on, instead of by its stack. */
function formatError(error: unknown): string {
  if (!(error instanceof Error)) return format(error)
  const { name, ...facts } = { ...error, name: error.name, message: error.message }
  return `${styleText('red', `threw ${name}`)} ${format(facts)}`
}

function indent(text: string, first: string): string {
  return first + text.replaceAll('\n', '\n  ')
}
