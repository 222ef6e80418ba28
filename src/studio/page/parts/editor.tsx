import {
  autocompletion,
  type CompletionSource,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { javascript } from '@codemirror/lang-javascript'
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorState, type Extension, Prec } from '@codemirror/state'
import { EditorView, keymap, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'preact/hooks'

interface EditorProps {
  readonly label: string
  /** The initial text. A new one replaces what the user has written. */
  readonly text: string
  /** With a new number the editor starts over: it keeps the focus and the place in the text, but nothing to undo. */
  readonly beginning?: number
  readonly onChange?: (text: string) => void
  /** On Enter; with Ctrl or Cmd if the text has several lines. */
  readonly onSubmit?: () => void
  readonly complete?: CompletionSource
  readonly hint?: string
  readonly hasLines?: boolean
  readonly isReadOnly?: boolean
}

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--field)' },
  { tag: tags.string, color: 'var(--text-value)' },
  { tag: [tags.number, tags.bool], color: 'var(--number-value)' },
  { tag: [tags.keyword, tags.null], color: 'var(--faint)' },
  { tag: [tags.className, tags.variableName], color: 'var(--date-value)' },
])

const look = EditorView.theme({
  '&': { backgroundColor: 'transparent', color: 'var(--ink)', fontSize: '12.5px', height: '100%' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '6px 2px' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-placeholder': { color: 'var(--faint)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--selection)',
  },
  '.cm-matchingBracket': { backgroundColor: 'var(--selection)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    border: '1px solid var(--line)',
    borderRadius: '8px',
    boxShadow: 'var(--shadow)',
    overflow: 'hidden',
  },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '16em' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--accent)',
    color: 'var(--on-accent)',
  },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.65', fontStyle: 'normal', marginLeft: '1.5em' },
})

/** An editor for text in TypeScript's notation. It has its own shadow root, which takes its styles without a style element. */
export function Editor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | undefined>(undefined)
  const current = useRef(props)
  current.current = props
  useEffect(() => {
    const { text: doc } = props
    const place = Math.min(view.current?.state.selection.main.head ?? 0, doc.length)
    const extensions = extensionsOf(current)
    const state = EditorState.create({ doc, selection: { anchor: place }, extensions })
    if (view.current === undefined) view.current = opened(host.current!, state)
    else view.current.setState(state)
  }, [props.beginning])
  useEffect(() => () => view.current?.destroy(), [])
  useEffect(() => {
    const { current: made } = view
    if (made === undefined || made.state.doc.toString() === props.text) return
    made.dispatch({ changes: { from: 0, to: made.state.doc.length, insert: props.text } })
  }, [props.text])
  return <div ref={host} class={props.hasLines ? 'editor lines' : 'editor'} />
}

function opened(host: HTMLElement, state: EditorState): EditorView {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  return new EditorView({ root, parent: root as unknown as Element, state })
}

function extensionsOf(current: { readonly current: EditorProps }): Extension[] {
  const { label, hint = '', hasLines = false, isReadOnly = false, complete } = current.current
  const submit = () => {
    const { onSubmit } = current.current
    onSubmit?.()
    return onSubmit !== undefined
  }
  return [
    Prec.high(keymap.of([{ key: hasLines ? 'Mod-Enter' : 'Enter', run: submit }])),
    history(),
    closeBrackets(),
    bracketMatching(),
    javascript(),
    syntaxHighlighting(colours),
    look,
    placeholder(hint),
    complete === undefined ? [] : autocompletion({ override: [complete], icons: false }),
    keymap.of([
      ...closeBracketsKeymap,
      ...completionKeymap,
      ...historyKeymap,
      ...(hasLines ? [indentWithTab] : []),
      ...defaultKeymap,
    ]),
    EditorView.lineWrapping,
    EditorState.readOnly.of(isReadOnly),
    EditorView.contentAttributes.of({ 'aria-label': label }),
    EditorView.updateListener.of(({ docChanged, state }) => {
      if (docChanged) current.current.onChange?.(state.doc.toString())
    }),
  ]
}
