import { useState } from 'preact/hooks'
import { messageOf } from '../data/api.ts'
import { tell } from '../data/toasts.ts'

export function CopyButton({ text, label }: { readonly text: () => string; readonly label: string }) {
  const [isDone, done] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text())
      done(true)
      setTimeout(() => done(false), 1_500)
    } catch (error) {
      tell(`Not copied: ${messageOf(error)}`, 'failed')
    }
  }
  return (
    <button type="button" class="quiet" title={text()} onClick={() => void copy()}>
      {isDone ? 'Copied' : label}
    </button>
  )
}
