extension SchemaTexts {
    /// `proto/evaluator.schema`, to the letter.
    static let evaluator = #"""
        schema hone.evaluator
        uses hone.common, hone.jobs

        /// Lets a judge compare answers, and counts what came of it.
        service hone.Evaluator {
            /// Begins judging; the same key again gives the job that is there.
            call Start(EvaluationRequest) returns JobState idempotent
            /// Follows a job's events.
            call Watch(WatchRequest) returns stream JobEvent idempotent
            /// Tells where a job stands.
            call Get(JobReference) returns JobState idempotent
            /// Ends a job; reviews that are there stay.
            call Cancel(JobReference) returns JobState idempotent
            /// Lists jobs.
            call List(JobQuery) returns JobList idempotent
            /// Counts the reviews of a job.
            call Report(JobReference) returns EvaluationReport idempotent
            /// Counts reviews made elsewhere.
            call Aggregate(AggregateRequest) returns EvaluationReport idempotent
            /// Compares answers with the known ones.
            call Match(MatchRequest) returns MatchReport idempotent
        }

        /// Asks for a comparison; files are artifacts of the data service, named by hash.
        message EvaluationRequest {
            /// The caller's idempotency key; not empty.
            1: string key
            /// The question file.
            2: string questions
            /// The model's answer file.
            3: string answersFirst
            /// The opponent's answer file.
            4: string answersSecond
            /// The judge's prompts; empty means the original's.
            5: string prompts
            /// The reviewers; empty means the original's.
            6: string reviewers
            /// The judge.
            7: ChatEndpoint endpoint
            /// Whether each pair is judged a second time with the answers changed round.
            8: bool bothOrders
            /// Tokens a review may have; 0 means the original's 1024.
            9: uint maximumTokens
            /// The model's name in the report.
            10: string modelName
            /// The opponent's name in the report.
            11: string opponentName
            /// How many requests may be open at once; 0 means the service's default.
            12: uint concurrency
        }

        /// What the reviews say.
        message EvaluationReport {
            /// The model's points as a share of the opponent's, both orders together.
            1: f64 pooled
            /// The same, where the model's answer came first.
            2: f64 modelFirst
            /// The same, where the opponent's answer came first.
            3: f64 opponentFirst
            /// Questions the model won.
            4: uint win
            /// Questions without a winner.
            5: uint tie
            /// Questions the opponent won.
            6: uint loss
            /// Questions whose winner changed with the order.
            7: uint flips
            /// The pooled share by category.
            8: map<string, f64> categories
            /// Reviews counted.
            9: uint reviews
            /// Reviews without readable scores.
            10: uint failed
            /// The review file with the model's answer first.
            11: string reviewsModelFirst
            /// The review file with the opponent's answer first.
            12: string reviewsOpponentFirst
        }

        /// Asks to count reviews; files are artifacts of the data service, named by hash.
        message AggregateRequest {
            /// The review file with the model's answer first.
            1: string modelFirst
            /// The review file with the opponent's answer first; empty where there is none.
            2: string opponentFirst
            /// The question file, for the categories; empty where there is none.
            3: string questions
        }

        /// Asks to compare with known answers; files are artifacts of the data service, named \#
        by hash.
        message MatchRequest {
            /// JSON Lines of `question_id`, `text` and `drafts`.
            1: string answers
            /// JSON Lines of `question_id` and the expected `text`.
            2: string expected
        }

        /// How many answers are right.
        message MatchReport {
            /// Answers compared.
            1: uint total
            /// Final answers that are right.
            2: uint correct
            /// Entry n is the share right after n revisions.
            3: packed f64 accuracyByRevision
            /// Revisions made, on average.
            4: f64 meanRevisions
        }

        """#
}
