/** The little of a browser that modules see when they are loaded: messages from the real catalogue. */

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Entry {
  message: string
  placeholders?: Record<string, { content: string }>
}

const file = join(dirname(fileURLToPath(import.meta.url)), '../public/_locales/en/messages.json')
const catalogue = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Entry>

/** As the browsers do it: `$NAME$` becomes the substitution that its placeholder points to. */
function getMessage(key: string, substitutions: string[] = []): string {
  const entry = catalogue[key]
  if (!entry) return ''
  return entry.message.replace(/\$(\w+)\$/g, (_, name: string) => {
    const place = Number(entry.placeholders?.[name.toLowerCase()]?.content.slice(1))
    return substitutions[place - 1] ?? ''
  })
}

Object.assign(globalThis, { chrome: { runtime: { id: 'test' }, i18n: { getMessage } } })
