// Which programs the tests drive. The same places as tools/setup/browsers.sh.
import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const REPOSITORY = resolve(dirname(fileURLToPath(import.meta.url)), '../../..')

const CHROMIUM = [
  'chromium',
  'google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
const FIREFOX = ['firefox-esr', 'firefox', '/Applications/Firefox.app/Contents/MacOS/firefox']

export const chromiumProgram = (): string =>
  find('Chromium', process.env.CHROMIUM ? [process.env.CHROMIUM] : CHROMIUM)
export const firefoxProgram = (): string =>
  find('Firefox', process.env.FIREFOX ? [process.env.FIREFOX] : FIREFOX)

/** The virtual environment that `make` made; VIRTUAL_ENV names another. */
export const environmentProgram = (name: string): string =>
  join(process.env.VIRTUAL_ENV ?? join(REPOSITORY, '.venv'), 'bin', name)

export const extensionFolder = (browser: 'chrome' | 'firefox'): string =>
  join(REPOSITORY, 'extension', '.output', `${browser}-mv3`)

function find(what: string, candidates: readonly string[]): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  for (const candidate of candidates) {
    const paths = candidate.includes('/') ? [candidate] : folders.map((folder) => join(folder, candidate))
    const found = paths.find(isExecutable)
    if (found) return found
  }
  throw new Error(
    `${what} is missing (looked for ${candidates.join(', ')}); tools/setup/browsers.sh installs it`,
  )
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
