extension SchemaTexts {
    /// `proto/inference.schema`, to the letter.
    static let inference = #"""
        schema hone.inference
        uses hone.common

        /// Serves one loaded model: answers with feedback and revisions, plain completions, \#
        scores.
        service hone.Inference {
            /// Answers, criticises and revises; every step is an event.
            call Generate(GenerateRequest) returns stream GenerateEvent
            /// Continues a text or tokens, without revisions.
            call Complete(CompleteRequest) returns stream CompletionEvent
            /// Turns text into tokens.
            call Tokenize(TokenizeRequest) returns TokenizeReply idempotent
            /// Turns tokens into text.
            call Detokenize(DetokenizeRequest) returns DetokenizeReply idempotent
            /// Gives the log-probability of each token after the first.
            call Score(ScoreRequest) returns ScoreReply idempotent
            /// Tells what is loaded and how busy it is.
            call Status(Empty) returns InferenceStatus idempotent
            /// Loads another model in place of the present one.
            call Load(LoadRequest) returns InferenceStatus idempotent
        }

        /// One turn of a conversation.
        message ChatMessage {
            /// `system`, `user` or `assistant`.
            1: string role
            /// What was said.
            2: string content
        }

        /// Who decides on revisions.
        enum RevisionMode {
            /// Nobody: one answer, no feedback.
            0: off
            /// The model's own verdicts, within minimum and maximum.
            1: autonomous
            /// The minimum, whatever the verdicts say.
            2: enforced
        }

        /// How far the text is taken back where the policy overrules a verdict.
        enum Rollback {
            /// To the verdict: the feedback stands, with the other verdict.
            0: verdict
            /// To the beginning of the feedback: it is written anew, so that it supports the \#
        verdict.
            1: feedback
        }

        /// How often an answer is revised, and when that ends.
        message RevisionPolicy {
            /// Who decides.
            1: RevisionMode mode
            /// At least so many revisions.
            2: uint minimum
            reserved 3, 7
            /// Tokens for everything that is generated; 0 sets no limit. The revisions owed \#
        share it.
            4: uint maximumTokens
            /// Time for everything that is generated; 0 sets no limit.
            5: uint milliseconds
            /// Whether a revision equal to its parent ends the chain.
            6: bool stopOnFixpoint
            /// At most so many revisions, 0 included; absent sets no limit.
            8: optional uint maximum
            /// A verdict's probability of "needed" below this counts as "not needed"; absent \#
        means 0.5.
            9: optional f64 threshold
            /// How far the text is taken back where the minimum overrules the model's verdict.
            10: Rollback rollback
        }

        /// How tokens are drawn.
        message Sampling {
            /// 0 takes the likeliest token each time.
            1: f64 temperature
            reserved 2
            /// Only so many of the likeliest tokens; 0 sets no limit.
            3: uint topK
            /// The same seed draws the same; absent draws anew.
            4: optional uint seed
            /// Tokens for one segment; 0 means the service's default.
            5: uint maximumTokens
            /// Texts that end a segment.
            6: repeated string stop
            /// Taken off the logit of tokens that have occurred.
            7: f64 presencePenalty
            /// Taken off the logit for each time a token has occurred.
            8: f64 frequencyPenalty
            /// Only the likeliest tokens of this mass; absent sets no limit, 0 leaves the \#
        likeliest alone.
            9: optional f64 topP
        }

        /// Asks for an answer: a conversation, or an instruction with its input.
        message GenerateRequest {
            /// The model wanted; empty takes the one that is loaded.
            1: string model
            /// The conversation; empty where `instruction` says it.
            2: repeated ChatMessage messages
            /// What to do; empty where `messages` say it.
            3: string instruction
            /// What to do it with.
            4: string input
            /// Revisions.
            5: RevisionPolicy policy
            /// How tokens are drawn.
            6: Sampling sampling
            /// Names the conversation, so that a replica that knows its beginning can be \#
        chosen.
            7: string conversation
        }

        /// What an event of an answer tells.
        enum GenerateEventKind {
            /// Nothing said.
            0: unspecified
            /// A segment begins.
            1: segmentStarted
            /// More text of the segment.
            2: delta
            /// The segment is whole; `text` has all of it.
            3: segmentDone
            /// The feedback ended in a verdict.
            4: verdict
            /// Tokens so far.
            5: usage
            /// The answer is done; the last event.
            6: finished
        }

        /// What a segment is.
        enum SegmentKind {
            /// The first draft.
            0: answer
            /// Criticism of the draft before it.
            1: feedback
            /// A better draft.
            2: revision
        }

        /// Names a segment of an answer.
        message SegmentReference {
            /// What it is.
            1: SegmentKind kind
            /// Counts from 0 among the segments of its kind.
            2: uint index
        }

        /// Whether a revision is needed.
        message Verdict {
            /// What holds.
            1: bool needed
            /// The model's probability of "needed".
            2: f64 probability
            /// Whether the policy decided against the model.
            3: bool forced
            /// How often the feedback before it was given up and written anew.
            4: uint rewritten
        }

        /// Tokens spent.
        message Usage {
            /// Tokens read.
            1: uint promptTokens
            /// Tokens generated, all kinds together.
            2: uint completionTokens
            /// Of the first draft.
            3: uint answerTokens
            /// Of feedback.
            4: uint feedbackTokens
            /// Of revisions.
            5: uint revisionTokens
            /// Of verdicts.
            6: uint verdictTokens
        }

        /// One step of an answer.
        message GenerateEvent {
            /// Counts up from 1.
            1: uint sequence
            /// What the event tells, and so which fields below say something.
            2: GenerateEventKind kind
            /// The segment it belongs to.
            3: optional SegmentReference segment
            /// The text added (`delta`) or the whole segment (`segmentDone`).
            4: string text
            /// The verdict (`verdict`).
            5: optional Verdict verdict
            /// Tokens so far (`usage`, `finished`).
            6: optional Usage usage
            /// Why it ended: `stop`, `length`, `maximum`, `fixpoint`, `budget`, `cancelled` \#
        (`finished`).
            7: string reason
            /// The last draft (`finished`).
            8: string answer
            /// The prompt, then everything generated, headings and verdicts included \#
        (`finished`).
            9: string wholeGeneration
            /// Revisions made (`finished`).
            10: uint revisions
        }

        /// Asks for a continuation.
        message CompleteRequest {
            /// The model wanted; empty takes the one that is loaded.
            1: string model
            /// The text to go on from; empty where `tokens` give it.
            2: string prompt
            /// The tokens to go on from; empty where `prompt` gives it.
            3: packed u32 tokens
            /// How tokens are drawn.
            4: Sampling sampling
            /// How many of the likeliest tokens to report at each place; 0 reports none.
            5: uint logprobs
            /// Whether the prompt comes back too.
            6: bool echo
        }

        /// More of a continuation.
        message CompletionEvent {
            /// The text added.
            1: string text
            /// The tokens added.
            2: packed u32 tokens
            /// The log-probability of each token added.
            3: packed f32 logprobs
            /// Whether this is the last event.
            4: bool finished
            /// Why it ended: `stop`, `length` or `cancelled` (last event).
            5: string reason
            /// Tokens spent (last event).
            6: optional Usage usage
        }

        /// Asks for a text's tokens.
        message TokenizeRequest {
            /// The text.
            1: string text
            /// Whether the tokens that mark beginning and end are added.
            2: bool special
        }

        /// A text's tokens.
        message TokenizeReply {
            /// The tokens.
            1: packed u32 tokens
        }

        /// Asks for the text of tokens.
        message DetokenizeRequest {
            /// The tokens.
            1: packed u32 tokens
            /// Whether special tokens are written out.
            2: bool special
        }

        /// The text of tokens.
        message DetokenizeReply {
            /// The text.
            1: string text
        }

        /// Asks how likely tokens are.
        message ScoreRequest {
            /// The tokens, at least one.
            1: packed u32 tokens
            /// How many of the likeliest tokens to report after each; 0 reports none.
            2: uint top
        }

        /// The likeliest tokens at one place.
        message TopList {
            /// The tokens, the likeliest first.
            1: packed u32 tokens
            /// Their log-probabilities.
            2: packed f32 logprobs
        }

        /// How likely the tokens are.
        message ScoreReply limit 64 MiB {
            /// Entry t is the log-probability of token t + 1.
            1: packed f32 logprobs
            /// Entry t are the likeliest tokens after token t; one more than `logprobs`.
            2: repeated TopList top
        }

        /// What is loaded and how busy it is.
        message InferenceStatus {
            /// The model's name; empty while none is loaded.
            1: string model
            /// Whether requests are taken.
            2: bool ready
            /// Requests that can be worked on at once.
            3: uint slots
            /// Requests being worked on.
            4: uint active
            /// Requests waiting.
            5: uint queued
            /// The longest sequence in tokens.
            6: uint contextLength
            /// Entries of the vocabulary.
            7: uint vocabulary
            /// Tokens generated since the start.
            8: uint generatedTokens
            /// Tokens a second, lately.
            9: f64 tokensPerSecond
        }

        /// Asks for another model.
        message LoadRequest {
            /// A registered name or a path on the service's machine.
            1: string model
        }

        """#
}
