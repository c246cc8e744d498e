extension SchemaTexts {
    /// `proto/gateway.schema`, to the letter.
    static let gateway = #"""
        schema hone.gateway
        uses hone.jobs

        /// Composes the other services: workflows whose steps are jobs.
        service hone.Gateway {
            /// Begins a workflow; the same key again gives the workflow that is there.
            call RunWorkflow(WorkflowRequest) returns JobState idempotent
            /// Follows a workflow's events.
            call WatchWorkflow(WatchRequest) returns stream JobEvent idempotent
            /// Tells where a workflow stands.
            call Get(JobReference) returns JobState idempotent
            /// Ends a workflow and the job its step waits for.
            call Cancel(JobReference) returns JobState idempotent
            /// Lists workflows.
            call List(JobQuery) returns JobList idempotent
            /// Tells where each step of a workflow stands.
            call Steps(JobReference) returns StepList idempotent
        }

        /// Asks for a workflow.
        message WorkflowRequest {
            /// The caller's idempotency key; not empty.
            1: string key
            /// The steps, as YAML or JSON.
            2: string definition
            /// Values for the definition's `${name}` places.
            3: map<string, string> parameters
        }

        /// Where one step stands.
        message StepState {
            /// The step's name in the definition.
            1: string name
            /// What the step does, such as `train`.
            2: string kind
            /// Whether it waits, runs or has ended.
            3: JobStatus status
            /// When it began, in milliseconds since 1970; 0 before that.
            4: uint startedAtMilliseconds
            /// When it ended, in milliseconds since 1970; 0 before that.
            5: uint finishedAtMilliseconds
            /// The job it waits for in another service; empty where it has none.
            6: string job
            /// What came of it, as JSON.
            7: string result
            /// Why it failed, for a person; empty unless it has.
            8: string error
        }

        /// The steps of a workflow.
        message StepList {
            /// The steps, in the definition's order.
            1: repeated StepState steps
        }

        """#
}
