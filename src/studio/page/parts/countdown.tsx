import { signal } from '@preact/signals'

/** The current time, updated every second. */
const now = signal(Date.now())
setInterval(() => {
  now.value = Date.now()
}, 1_000)

/** How long it is until a time, in milliseconds since the epoch. */
export function Countdown({ to }: { readonly to: number }) {
  const left = to - now.value
  return (
    <time
      class={left < 60_000 ? 'countdown soon' : 'countdown'}
      dateTime={new Date(to).toISOString()}
      title={new Date(to).toISOString()}
    >
      {left <= 0 ? 'expired' : durationText(left)}
    </time>
  )
}

export function durationText(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`
}
