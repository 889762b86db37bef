// A user's home folder that lives as long as one browser does, with a Touchstone of its own in it.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { environmentProgram } from './programs'
import { until } from './until'

const run = promisify(execFile)

export class Home {
  readonly folder = mkdtempSync(join(tmpdir(), 'touchstone-e2e-'))
  readonly environment: NodeJS.ProcessEnv
  private readonly touchstoneFolder = join(this.folder, 'touchstone')

  /** @param variables further environment variables, such as settings of Touchstone */
  constructor(variables: Record<string, string> = {}) {
    this.environment = {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: this.folder,
      XDG_CONFIG_HOME: join(this.folder, '.config'),
      XDG_DATA_HOME: join(this.folder, '.local', 'share'),
      XDG_STATE_HOME: join(this.folder, '.local', 'state'),
      XDG_CACHE_HOME: join(this.folder, '.cache'),
      TOUCHSTONE_HOME: this.touchstoneFolder,
      ...variables,
    }
  }

  /** Chromium's profile, where a Chromium started by this user would have it. */
  get chromiumProfile(): string {
    return join(this.folder, '.config', 'chromium')
  }

  /** Put a file into the home, e.g. a setting, before anything is started. */
  write(path: string, content: string): string {
    const file = join(this.folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    return file
  }

  /** Run `touchstone` as this user and return what it printed. */
  async touchstone(...args: string[]): Promise<string> {
    const { stdout } = await run(environmentProgram('touchstone'), args, { env: this.environment })
    return stdout
  }

  /** Register the native host the way a user does: for every browser that is found. */
  async registerHost(): Promise<void> {
    mkdirSync(this.chromiumProfile, { recursive: true })
    mkdirSync(join(this.folder, '.mozilla'), { recursive: true })
    await this.touchstone('browsers', 'install')
  }

  /** The process of the daemon that answers, or undefined when none does. */
  async daemonPid(): Promise<number | undefined> {
    try {
      const file = join(this.touchstoneFolder, 'run', 'daemon.json')
      const { pid, port } = JSON.parse(readFileSync(file, 'utf8'))
      // A killed process keeps its id until its parent has noticed, so only an answer counts as life.
      await fetch(`http://127.0.0.1:${port}/v1/health`)
      return pid
    } catch {
      return undefined
    }
  }

  /** End the daemon as a crash would, and return its process id. */
  async killDaemon(): Promise<number> {
    const pid = await this.daemonPid()
    if (pid === undefined) throw new Error('no daemon is running that could be killed')
    process.kill(pid, 'SIGKILL')
    await until('the daemon is gone', async () => (await this.daemonPid()) !== pid)
    return pid
  }

  async remove(): Promise<void> {
    const pid = await this.daemonPid()
    if (pid !== undefined) {
      process.kill(pid, 'SIGTERM')
      await until('the daemon has ended', async () => (await this.daemonPid()) === undefined)
    }
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
