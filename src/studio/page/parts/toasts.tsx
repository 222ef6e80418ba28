import { signal } from '@preact/signals'

interface Toast {
  readonly id: number
  readonly text: string
  readonly kind: 'done' | 'failed'
  readonly action?: { readonly label: string; readonly run: () => void } | undefined
}

const toasts = signal<readonly Toast[]>([])
const shownFor = 8_000
let made = 0

/** Tells a person what was done, or has failed, in a corner of the page. */
export function tell(text: string, kind: Toast['kind'] = 'done', action?: Toast['action']): void {
  const toast = { id: made++, text, kind, action }
  toasts.value = [...toasts.value.slice(-3), toast]
  setTimeout(() => drop(toast.id), shownFor)
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, kind, action }) => (
        <div key={id} class={`toast ${kind}`}>
          <span>{text}</span>
          {action !== undefined && (
            <button
              type="button"
              onClick={() => {
                drop(id)
                action.run()
              }}
            >
              {action.label}
            </button>
          )}
          <button type="button" class="quiet" aria-label="Dismiss" onClick={() => drop(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  )
}
