// Generated from schema/native.json by "npm run types". Do not edit.

export type AnyNative =
  | Hello
  | ScanUrl
  | UploadBegin
  | UploadChunk
  | UploadScan
  | UploadEnd
  | UploadAbort
  | Get
  | Cancel
  | Feedback
  | StatusRequest
  | SettingsGet
  | State
  | Welcome
  | Accepted
  | UploadAck
  | UploadAborted
  | ScanStateReply
  | Cancelled
  | FeedbackTaken
  | Status
  | Settings
  | ScanProgress
  | ScanEvidence
  | Result
  | Error
  | Part
/**
 * What is said about a video.
 */
export type Label =
  'ai_generated' | 'ai_edited' | 'camera_original' | 'no_signs' | 'inconclusive' | 'unreadable'
/**
 * What a piece of evidence speaks for.
 */
export type Supports = 'ai' | 'edited' | 'camera' | 'neither'
/**
 * How the video reached Touchstone.
 */
export type SourceKind = 'url' | 'file' | 'upload' | 'frames'
/**
 * The kind of evidence a verdict rests on, strongest first.
 */
export type Basis = 'signed' | 'declared' | 'watermark' | 'visible_mark' | 'detector' | 'none'
/**
 * How strongly the evidence supports the label.
 *
 * The words for measured evidence follow the ENFSI verbal scale for likelihood ratios:
 * 1-10 limited, 10-100 moderate, 100-10,000 strong, above that very strong.
 * `verified` is kept for valid signatures by a trusted signer.
 */
export type Strength = 'verified' | 'very_strong' | 'strong' | 'moderate' | 'limited' | 'none'

/**
 * The first request on every port.
 */
export interface Hello {
  type: 'hello'
  request: string
  protocol: number
  extension_version: string
}
/**
 * Scan a video by its address; the daemon fetches it. `fresh` scans again what is already known.
 *
 * `automatic`: nobody asked, the video came into view.
 */
export interface ScanUrl {
  type: 'scan'
  request: string
  source: UrlSource
  fresh?: boolean
  automatic?: boolean
}
/**
 * A video on the web. `page_url` is where it is shown; it is kept for history and never fetched.
 */
export interface UrlSource {
  kind: 'url'
  url: string
  page_url?: string | null
}
/**
 * Announce bytes that the daemon cannot fetch itself. `size` is null where it is not known beforehand.
 *
 * With `frames` the bytes are batches of pictures (docs/api.md), one after the other, not a file.
 */
export interface UploadBegin {
  type: 'upload_begin'
  request: string
  upload_id: string
  size?: number | null
  name?: string | null
  url?: string | null
  page_url?: string | null
  fresh?: boolean
  automatic?: boolean
  frames?: UploadFrames | null
}
/**
 * What the pictures of an upload are of; the fields are those of `wire.FramesSource`.
 */
export interface UploadFrames {
  width: number
  height: number
  duration_s?: number | null
}
/**
 * The next bytes of an upload, base64, at most 512 KiB before encoding. `seq` counts from 0.
 */
export interface UploadChunk {
  type: 'upload_chunk'
  request: string
  upload_id: string
  seq: number
  data: string
}
/**
 * Scan the pictures that have come so far; more may follow. For uploads with `frames` alone.
 */
export interface UploadScan {
  type: 'upload_scan'
  request: string
  upload_id: string
  chunks: number
}
/**
 * All bytes are there: scan them. `chunks` is how many were sent.
 */
export interface UploadEnd {
  type: 'upload_end'
  request: string
  upload_id: string
  chunks: number
}
/**
 * Forget an upload that is not finished.
 */
export interface UploadAbort {
  type: 'upload_abort'
  request: string
  upload_id: string
}
/**
 * Take up a scan again, by its id: after the service worker or the browser died.
 */
export interface Get {
  type: 'get'
  request: string
  scan_id: string
}
/**
 * Nobody waits for this scan any more.
 */
export interface Cancel {
  type: 'cancel'
  request: string
  scan_id: string
}
/**
 * What the user says about a verdict: whether it was right and, if not, what the video is.
 */
export interface Feedback {
  type: 'feedback'
  request: string
  scan_id: string
  agrees: boolean
  label?: Label | null
  comment?: string | null
}
/**
 * Ask how the daemon is.
 */
export interface StatusRequest {
  type: 'status'
  request: string
}
/**
 * Ask for the daemon's settings that concern the extension.
 */
export interface SettingsGet {
  type: 'settings_get'
  request: string
}
/**
 * Sent unasked: first of all on every port, and whenever it changes. `reason` says why `absent`.
 */
export interface State {
  type: 'state'
  protocol: number
  host_version: string
  daemon: 'up' | 'starting' | 'absent'
  daemon_version?: string | null
  reason?: string | null
}
/**
 * Answers `hello`.
 */
export interface Welcome {
  type: 'welcome'
  request: string
  protocol: number
  host_version: string
  daemon: 'up' | 'starting' | 'absent'
  limits: Limits
}
/**
 * What the host takes. `window` is the number of chunks of an upload that may be on their way at once.
 */
export interface Limits {
  message_bytes: number
  chunk_bytes: number
  window: number
  upload_bytes: number
  scans: number
}
/**
 * A scan is under way; everything about it carries this `scan_id` from here on.
 */
export interface Accepted {
  type: 'accepted'
  request: string
  scan_id: string
}
/**
 * The chunks before `next_seq` have arrived, `received` bytes in all.
 */
export interface UploadAck {
  type: 'upload_ack'
  request: string
  upload_id: string
  next_seq: number
  received: number
}
/**
 * Answers `upload_abort`.
 */
export interface UploadAborted {
  type: 'upload_aborted'
  request: string
  upload_id: string
}
/**
 * Answers `get`. What was found so far follows, and the result when there is one.
 */
export interface ScanStateReply {
  type: 'scan_state'
  request: string
  scan_id: string
  state: 'queued' | 'running' | 'done'
}
/**
 * Answers `cancel`; nothing more comes about this scan.
 */
export interface Cancelled {
  type: 'cancelled'
  request: string
  scan_id: string
}
/**
 * Answers `feedback`.
 */
export interface FeedbackTaken {
  type: 'feedback_taken'
  request: string
  scan_id: string
}
/**
 * Answers `status`. `scans` counts the scans that this port follows; `health` is the daemon's report.
 */
export interface Status {
  type: 'status'
  request: string
  daemon: 'up' | 'starting' | 'absent'
  host_version: string
  daemon_version?: string | null
  scans: number
  uploads: number
  health?: {
    [k: string]: unknown
  } | null
}
/**
 * Answers `settings_get`.
 */
export interface Settings {
  type: 'settings'
  request: string
  values: {
    [k: string]: unknown
  }
}
/**
 * A scan moves on.
 */
export interface ScanProgress {
  type: 'progress'
  scan_id: string
  progress: Progress
}
/**
 * How far a scan is: the stage in the words of DESIGN.md and, where it can be known, a fraction.
 */
export interface Progress {
  type: 'progress'
  stage: 'queued' | 'intake' | 'media' | 'examine' | 'verdict'
  fraction?: number | null
  examiner?: string | null
}
/**
 * An examiner found something.
 */
export interface ScanEvidence {
  type: 'evidence'
  scan_id: string
  evidence: Evidence
}
/**
 * One finding of one examiner.
 *
 * `log10_lr` is a measured log10 likelihood ratio (positive: supports AI) or null where nothing was
 * measured. `verified` is true only for a valid signature by a trusted signer.
 */
export interface Evidence {
  examiner: string
  finding: string
  supports: Supports
  log10_lr?: number | null
  verified?: boolean
  details?: {
    [k: string]: unknown
  }
  spans?: Span[]
  took_ms?: number
}
/**
 * A stretch of the clip, in seconds from its start, and what was measured there.
 */
export interface Span {
  start_s: number
  end_s: number
  score?: number | null
}
/**
 * A scan has ended; nothing more comes about it.
 */
export interface Result {
  type: 'result'
  scan_id: string
  scan: Scan
}
/**
 * One scan from end to end: `touchstone.scan/1`.
 */
export interface Scan {
  schema: 'touchstone.scan/1'
  id: string
  source: Source
  verdict: Verdict
  evidence?: Evidence[]
  checked?: string[]
  skipped?: {
    [k: string]: string
  }
  models?: {
    [k: string]: ModelUse
  }
  seen?: Seen | null
  calibration?: string | null
  took_ms?: number
}
/**
 * Where the video came from and what its container says about it. Unknown fields are null.
 *
 * `problem` is the stable code of why its bytes could not be had (docs/threat-model.md, "How it ends"); null
 * where they could.
 */
export interface Source {
  kind: SourceKind
  url?: string | null
  name?: string | null
  sha256?: string | null
  size_bytes?: number | null
  container?: string | null
  codec?: string | null
  width?: number | null
  height?: number | null
  fps?: number | null
  duration_s?: number | null
  problem?: string | null
}
/**
 * What can honestly be said, in a label, its basis, its strength and a sentence.
 */
export interface Verdict {
  label: Label
  basis?: Basis
  strength?: Strength
  probability?: number | null
  generator?: string | null
  headline: string
}
/**
 * Which model file took part, where it ran (onnxruntime's name of it), and for how long in all.
 *
 * `sha256` is of the file; null where the model is no file of its own.
 */
export interface ModelUse {
  version: string
  variant: string
  provider: string
  sha256?: string | null
  ms?: number
}
/**
 * How much of the clip was looked at by those who need pictures.
 *
 * `runs` short runs of consecutive frames, `frames` in all, between `first_s` and `last_s`; `ended` says why
 * there were fewer than `runs_wanted`.
 */
export interface Seen {
  runs: number
  runs_wanted: number
  frames: number
  first_s?: number | null
  last_s?: number | null
  ended?: string | null
}
/**
 * Something went wrong; `code` and `name` are one of the table in docs/native-messaging.md.
 *
 * `request`, `scan_id` and `upload_id` say what it is about, where that could be told. After a `fatal` one
 * the host ends. `expected_seq` comes with chunk errors, `retry_after_s` with a busy daemon.
 */
export interface Error {
  type: 'error'
  code: number
  name: string
  message: string
  request?: string | null
  scan_id?: string | null
  upload_id?: string | null
  expected_seq?: number | null
  retry_after_s?: number | null
  fatal?: boolean
}
/**
 * A piece of a message that would be too large. The `data` of all parts in order is the JSON text.
 */
export interface Part {
  type: 'part'
  part_id: string
  seq: number
  last: boolean
  data: string
}
