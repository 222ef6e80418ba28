import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const places = [
  process.env['VALKEYRIE_BROWSER'],
  // Chromium without its windows takes a fifth less of the processor.
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

/** Where there is a browser; undefined: nowhere. */
export const executablePath = places.find((path) => path !== undefined && existsSync(path))

/** Its pages of one site share a process, as long as one of them is open. */
export function launchBrowser(): Promise<Browser> {
  const args = ['--process-per-site', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])]
  return chromium.launch({ executablePath: executablePath!, args, timeout: 0 })
}
