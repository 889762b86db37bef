/** What the background knows about one video, as the badge, the panel and the popup show it. */

import type { Progress, Scan } from './wire/native'

/** Why no bytes of a video can be had. */
export type Unreachable =
  | 'stream' // a camera, a call or a screen share: there is no file
  | 'pieces' // media source extensions: the page feeds the player piece by piece
  | 'protected' // encrypted media extensions
  | 'local_file' // a file: address
  | 'address' // not one that may be fetched for this page
  | 'status' // the server refused; detail is the status
  | 'network' // the fetch failed
  | 'too_large'
  | 'no_permission' // the browser withholds access to the site
  | 'gone' // the page took it away while it was read
  | 'failed' // the daemon failed at it; detail is its reason
  | 'altered' // this browser alters pixels, so pictures prove nothing
  | 'black' // only black pictures came out
  | 'withheld' // the browser keeps another site's pictures from extensions

/** Why nobody is there to ask. */
export type Unavailable = 'no_host' | 'daemon_absent' | 'mismatch' | 'token' | 'extension_gone'

/** How the user's "this is wrong" fares. */
export type Dispute = 'none' | 'sending' | 'sent' | 'failed'

export type View =
  /** Not checked yet; `why` is the daemon's reason where it put the check off. */
  | { state: 'waiting'; why?: string }
  | { state: 'checking'; stage: Progress['stage'] | 'upload'; fraction: number | null }
  | { state: 'done'; scan: Scan; dispute: Dispute }
  | { state: 'no_daemon'; why: Unavailable; detail: string | null }
  | { state: 'unreachable'; why: Unreachable; detail: string | null }
  /** Its bytes cannot be had (`why`), so its pictures are looked at while it plays; `runs` have come. */
  | { state: 'looking'; why: Unreachable; runs: number }
