import { renderMermaidSVG } from 'beautiful-mermaid'
import type { MarkdownRenderer } from 'vitepress'

/** Draws `mermaid` blocks while the site is built: a page needs no script and no network for them. GitHub draws the same blocks itself. */
export function diagrams(markdown: MarkdownRenderer): void {
  const { fence } = markdown.renderer.rules
  markdown.renderer.rules.fence = (tokens, at, options, env, self) => {
    const { info, content } = tokens[at]!
    if (info.trim() !== 'mermaid') return fence!(tokens, at, options, env, self)
    // Vue drops <style> from a template, but not from what v-html sets.
    const svg = markdown.utils.escapeHtml(JSON.stringify(diagramSvg(content)))
    return `<div class="diagram" style="overflow-x: auto" v-html="${svg}"></div>\n`
  }
}

/** A flowchart as SVG, in the colours and the font of the page. */
export function diagramSvg(text: string): string {
  const svg = renderMermaidSVG(text.replaceAll(arrow, drawableArrow), {
    bg: 'var(--vp-c-bg)',
    fg: 'var(--vp-c-text-1)',
    font: 'Inter',
  })
  return svg.replace(/^.*@import url.*\n/m, '')
}

const arrow = /^( *)(\S+) (-->|-\.->) (\S+)$/gm

function drawableArrow(_: string, indent: string, from: string, kind: string, to: string): string {
  return `${indent}${drawableNode(from)} ${kind} ${drawableNode(to)}`
}

/** The renderer takes a slash in a label, but not in an id. */
function drawableNode(id: string): string {
  return id.includes('/') ? `${id.replaceAll('/', '_')}["${id}"]` : id
}
