import { defineConfig } from 'vitepress'
import { diagrams } from './diagrams.ts'
import { outsideLinks } from './outside-links.ts'
import { sidebar } from './sidebar.ts'

/** The site of the documentation, which `npm run docs` serves: the pages of docs/ as they are, in the order of docs/README.md. */
export default defineConfig({
  title: 'valkeyrie',
  description: 'Typed repositories over one key-value table, in SQLite or PostgreSQL',
  cleanUrls: true,
  srcExclude: ['reference/**'],
  rewrites: { 'README.md': 'overview.md', 'api/README.md': 'api/index.md' },
  cacheDir: '../node_modules/.cache/vitepress',
  markdown: {
    config: (markdown) => {
      outsideLinks(markdown)
      diagrams(markdown)
    },
    languageAlias: { mts: 'ts', cts: 'ts' },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'All pages', link: '/overview' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: sidebar(),
  },
})
