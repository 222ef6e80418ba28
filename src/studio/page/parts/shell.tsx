import type { ComponentChildren } from 'preact'

/** A panel beside a table, with a title and a close button. */
export function Shell(props: {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}) {
  const { title, onClose, children } = props
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && !event.defaultPrevented) onClose()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes it from anywhere within.
    <div class="shell" onKeyDown={onKeyDown}>
      <header>
        <h3 title={title}>{title}</h3>
        <button type="button" class="quiet" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </div>
  )
}
