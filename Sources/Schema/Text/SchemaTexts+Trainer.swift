extension SchemaTexts {
    /// `proto/trainer.schema`, to the letter.
    static let trainer = #"""
        schema hone.trainer
        uses hone.common, hone.data, hone.jobs

        /// Trains models on chains, and keeps their checkpoints and curves.
        service hone.Trainer {
            /// Begins a run; the same key again gives the run that is there, and goes on with \#
        one that was
            /// cancelled or failed.
            call Start(TrainingRequest) returns JobState idempotent
            /// Follows a run's events; the loss comes as metrics.
            call Watch(WatchRequest) returns stream JobEvent idempotent
            /// Tells where a run stands.
            call Get(JobReference) returns JobState idempotent
            /// Ends a run; its checkpoints stay.
            call Cancel(JobReference) returns JobState idempotent
            /// Lists runs.
            call List(JobQuery) returns JobList idempotent
            /// Goes on with a stopped run from its last checkpoint.
            call Resume(JobReference) returns JobState idempotent
            /// Writes a checkpoint after the step in work.
            call CheckpointNow(JobReference) returns CheckpointReply
            /// Writes the difference between a tuned model and its base.
            call MakeDiff(DiffRequest) returns Empty idempotent
            /// Rebuilds a tuned model from its base and a difference.
            call ApplyDiff(DiffRequest) returns Empty idempotent
        }

        /// Which tokens are learned.
        enum TrainingObjective {
            /// Every token of the chain after the prompt.
            0: full
            /// The answer alone.
            1: answerOnly
        }

        /// Numbers of a run; what is absent takes the trainer's default.
        message TrainingParameters {
            /// Which tokens are learned.
            1: TrainingObjective objective
            /// How a chain is written as text.
            2: ChainMode mode
            /// The peak learning rate.
            3: optional f64 learningRate
            /// Sequences in one pass.
            4: optional uint batchSize
            /// Passes before each step of the optimiser.
            5: optional uint gradientAccumulationSteps
            /// Passes over the data.
            6: optional f64 epochs
            /// Steps in all; more than 0 overrules `epochs`.
            7: optional uint maximumSteps
            /// The share of the steps in which the rate rises.
            8: optional f64 warmupRatio
            /// Decoupled weight decay.
            9: optional f64 weightDecay
            /// `cosine`, `linear` or `constant`; empty means the default.
            10: string scheduler
            /// The longest sequence in tokens; longer ones are cut.
            11: optional uint modelMaxLength
            /// Steps between checkpoints.
            12: optional uint saveSteps
            /// Checkpoints kept; the oldest goes first.
            13: optional uint saveTotalLimit
            /// Steps between metrics.
            14: optional uint loggingSteps
            /// Decides order and first weights.
            15: optional uint seed
            /// Whether activations are computed again instead of kept.
            16: optional bool gradientCheckpointing
            /// The gradient's norm is cut to this; 0 cuts nothing.
            17: optional f64 maximumGradientNorm
            /// Decay of the mean of gradients.
            18: optional f64 beta1
            /// Decay of the mean of squared gradients.
            19: optional f64 beta2
            /// Keeps the division finite.
            20: optional f64 epsilon
        }

        /// Asks for a run.
        message TrainingRequest {
            /// The caller's idempotency key; not empty.
            1: string key
            /// The chains to learn from.
            2: DatasetReference dataset
            /// A path or a registered name; empty starts from nothing with `configuration`.
            3: string baseModel
            /// The model's shape as the JSON of a `config.json`, where there is no base model.
            4: string configuration
            /// The name under which the result is registered.
            5: string outputModel
            /// The numbers of the run.
            6: TrainingParameters parameters
            /// A tokenizer's path where there is no base model; empty trains one on the data.
            7: string tokenizer
            /// Entries of a tokenizer trained on the data; 0 means the trainer's default.
            8: uint vocabularySize
        }

        /// A checkpoint that was written.
        message CheckpointReply {
            /// Its folder on the trainer's machine.
            1: string path
            /// The step after which it was taken.
            2: uint step
        }

        /// Paths of the three models a difference ties together, on the trainer's machine.
        message DiffRequest {
            /// The base model.
            1: string raw
            /// The tuned model.
            2: string tuned
            /// The difference between them.
            3: string diff
        }

        """#
}
