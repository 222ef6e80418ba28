import { signal } from '@preact/signals'

/** A message in a corner of the page, for some seconds. */
interface Toast {
  readonly id: number
  readonly text: string
  readonly kind: 'done' | 'failed'
  readonly action?: { readonly label: string; readonly run: () => void } | undefined
}

export const toasts = signal<readonly Toast[]>([])
/** Milliseconds. */
export const shownFor = 8_000
let made = 0

/** Shows the user in a corner of the page what was done, or has failed. */
export function tell(text: string, kind: Toast['kind'] = 'done', action?: Toast['action']): void {
  const toast = { id: made++, text, kind, action }
  toasts.value = [...toasts.value.slice(-3), toast]
  setTimeout(() => drop(toast.id), shownFor)
}

export function drop(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}
