import { render } from 'preact'
import { App } from './app.tsx'
import { loadCatalog } from './data/catalog.ts'
import { follow } from './data/live.ts'
import { applyTheme } from './parts/theme.tsx'

applyTheme()
render(<App />, document.body)
// What keeps it from loading is shown by the page.
loadCatalog().catch(() => {})
void follow()
