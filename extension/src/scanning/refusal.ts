/** What a video that could not be scanned looks like, and whether to try again. */

import type { HostError } from '../native/link'
import type { Unreachable, View } from '../views'

const DAEMON_AGAIN_MS = 15_000
const BUSY_AGAIN_MS = 2000

// Where bytes fail for these reasons, the browser itself still shows the video: its pictures can be had.
export const SHOWN_ALL_THE_SAME: ReadonlySet<Unreachable> = new Set<Unreachable>([
  ...(['stream', 'pieces', 'address', 'status', 'network', 'too_large', 'no_permission', 'gone'] as const),
])

/** What to show when the host refuses, null where nothing changes, and when to ask again, null for never. */
export function refusal({ code, message, answer }: HostError): { view: View | null; againMs: number | null } {
  const final = (view: View) => ({ view, againMs: null })
  switch (code) {
    case 201:
      return { view: { state: 'no_daemon', why: 'daemon_absent', detail: message }, againMs: DAEMON_AGAIN_MS }
    case 109:
    case 204:
    case 309:
      return { view: null, againMs: answer.retry_after_s ? answer.retry_after_s * 1000 : BUSY_AGAIN_MS }
    case 108:
      return final({ state: 'no_daemon', why: 'mismatch', detail: message })
    case 202:
      return final({ state: 'no_daemon', why: 'token', detail: message })
    case 207:
      return final({ state: 'waiting', why: message })
    case 307:
      return final({ state: 'unreachable', why: 'too_large', detail: null })
    default:
      return final({ state: 'unreachable', why: 'failed', detail: message })
  }
}
