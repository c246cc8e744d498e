extension SchemaTexts {
    /// `proto/jobs.schema`, to the letter.
    static let jobs = #"""
        schema hone.jobs

        /// Names a job.
        message JobReference {
            /// The job's id, as its owner gave it out.
            1: string id
        }

        /// Where a job stands now.
        message JobState {
            /// The id its owner gave it.
            1: string id
            /// The caller's idempotency key; the same key and kind are the same job.
            2: string key
            /// What the job does, such as `training`.
            3: string kind
            /// Whether it waits, runs or has ended.
            4: JobStatus status
            /// When it was asked for, in milliseconds since 1970.
            5: uint createdAtMilliseconds
            /// When it last changed, in milliseconds since 1970.
            6: uint updatedAtMilliseconds
            /// How many of `total` units are done.
            7: uint progress
            /// How many units there are; 0 while unknown.
            8: uint total
            /// What it does at present, for a person.
            9: string message
            /// What came of it, as JSON; empty until it has succeeded.
            10: string result
            /// Why it failed, for a person; empty unless it has.
            11: string error
            /// The sequence number of its latest event.
            12: uint sequence
        }

        /// Where a job's life can stand.
        enum JobStatus {
            /// Nothing said; in a query: any.
            0: unspecified
            /// Waits for its turn.
            1: queued
            /// Is being worked on.
            2: running
            /// Ended with a result.
            3: succeeded
            /// Ended with an error.
            4: failed
            /// Ended because someone asked for that.
            5: cancelled
            /// Stopped, and can be resumed.
            6: paused
        }

        /// Asks for a job's events, those that were and those to come.
        message WatchRequest {
            /// The job's id.
            1: string id
            /// Only events after this sequence number; 0 gives all.
            2: uint afterSequence
        }

        /// One thing that happened to a job. Events are kept, so a watcher can come back.
        message JobEvent {
            /// Counts up from 1 within the job, without gaps.
            1: uint sequence
            /// When it happened, in milliseconds since 1970.
            2: uint atMilliseconds
            /// What happened, and so which fields below say something.
            3: JobEventKind kind
            /// The new status (`state`).
            4: JobStatus status
            /// How many of `total` units are done (`progress`).
            5: uint progress
            /// How many units there are; 0 while unknown (`progress`).
            6: uint total
            /// A line for a person (`log`, `progress`), or the error (`state`).
            7: string message
            /// Named numbers, such as `loss` (`metrics`).
            8: map<string, f64> metrics
            /// What came of the job, as JSON (`result`).
            9: string result
        }

        /// What an event tells.
        enum JobEventKind {
            /// Nothing said.
            0: unspecified
            /// The status changed.
            1: state
            /// Units were done.
            2: progress
            /// Numbers were measured.
            3: metrics
            /// Something is worth a line.
            4: log
            /// The result is there.
            5: result
        }

        /// Asks which jobs there are.
        message JobQuery {
            /// Only jobs of this kind; empty gives every kind.
            1: string kind
            /// Only jobs of this status; `unspecified` gives every status.
            2: JobStatus status
            /// At most so many, the newest first; 0 means the service's default.
            3: uint limit
        }

        /// Jobs, the newest first.
        message JobList {
            /// The jobs.
            1: repeated JobState jobs
        }

        """#
}
