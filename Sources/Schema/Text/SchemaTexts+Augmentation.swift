extension SchemaTexts {
    /// `proto/augmentation.schema`, to the letter.
    static let augmentation = #"""
        schema hone.augmentation
        uses hone.common, hone.data, hone.jobs

        /// Makes chains: a teacher writes feedback and revisions for a dataset.
        service hone.Augmentation {
            /// Begins a job; the same key again gives the job that is there.
            call Start(AugmentationRequest) returns JobState idempotent
            /// Follows a job's events.
            call Watch(WatchRequest) returns stream JobEvent idempotent
            /// Tells where a job stands.
            call Get(JobReference) returns JobState idempotent
            /// Ends a job; finished replies stay.
            call Cancel(JobReference) returns JobState idempotent
            /// Lists jobs.
            call List(JobQuery) returns JobList idempotent
            /// Asks the teacher again for the examples that failed.
            call RetryFailed(JobReference) returns JobState idempotent
            /// Makes chains for the first few examples, and keeps nothing.
            call Preview(PreviewRequest) returns PreviewReply
        }

        /// Which of SelFee's procedures makes the chain.
        enum AugmentationProcedure {
            /// Nothing said; a start refuses it.
            0: unspecified
            /// The output is the first draft; the teacher criticises and revises.
            1: alpaca
            /// As `alpaca`, for conversations.
            2: sharegpt
            /// The teacher drafts, and sees the known solution when it criticises.
            3: flan
        }

        /// Asks for chains.
        message AugmentationRequest {
            /// The caller's idempotency key; not empty.
            1: string key
            /// The examples.
            2: DatasetReference dataset
            /// The name of the dataset that the chains become.
            3: string outputName
            /// How the chains are made.
            4: AugmentationProcedure procedure
            /// How closely the original is followed.
            5: ChainMode mode
            /// The teacher.
            6: ChatEndpoint endpoint
            /// At most so many examples; 0 takes all.
            7: uint limit
            /// How many requests may be open at once; 0 means the service's default.
            8: uint concurrency
        }

        /// Asks for a look at what a job would make.
        message PreviewRequest {
            /// The job as it would be started; its key is not used.
            1: AugmentationRequest request
            /// How many examples; 0 means 1.
            2: uint count
        }

        /// What a job would make.
        message PreviewReply {
            /// One record an entry, as JSON.
            1: repeated string records
        }

        """#
}
