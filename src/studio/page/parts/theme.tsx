import { computed, signal } from '@preact/signals'

const storageName = 'valkeyrie-studio-theme'
const themes = ['system', 'light', 'dark'] as const
type Theme = (typeof themes)[number]

const theme = signal<Theme>(themes.find((it) => it === localStorage.getItem(storageName)) ?? 'system')

const system = matchMedia('(prefers-color-scheme: dark)')
const isSystemDark = signal(system.matches)
system.addEventListener('change', ({ matches }) => {
  isSystemDark.value = matches
})

/** The theme that is shown. */
export const scheme = computed(() => {
  if (theme.value !== 'system') return theme.value
  return isSystemDark.value ? 'dark' : 'light'
})

export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme.value
}

export function ThemeButton() {
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length]!
  const change = () => {
    theme.value = next
    localStorage.setItem(storageName, next)
    applyTheme()
  }
  return (
    <button type="button" class="quiet" onClick={change} title={`Colours: ${theme.value}. Change to ${next}`}>
      <span aria-hidden="true">{{ system: '◐', light: '☀', dark: '☾' }[theme.value]}</span>
      <span class="unseen">Colours: {theme.value}</span>
    </button>
  )
}
