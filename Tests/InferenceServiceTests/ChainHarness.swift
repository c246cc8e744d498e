import Generation
import InferenceService
import Revising
import Synchronization
import TestKit
import Testing
import Tokenization

/// A chain run step by step on a model, every step checked: what the cache holds decodes to
/// exactly the prompt and the text.
struct ChainRun {
    var result = ChainResult()
    var events: [ChainEvent] = []
    /// How often the cache was cut back.
    var rollbacks = 0

    /// What was shown, segment by segment.
    var shown: String {
        events.reduce(into: "") { text, event in
            switch event {
            case .started(let segment):
                switch segment.kind {
                case .answer: break
                case .feedback: text += Heading.feedback(segment.index + 1).text
                case .revision: text += Heading.revision(segment.index + 1).text
                }
            case .delta(_, let part): text += part
            default: break
            }
        }
    }

    var verdicts: [CommittedVerdict] {
        events.compactMap { if case .verdict(_, let verdict) = $0 { verdict } else { nil } }
    }

    var done: [(segment: Segment, text: String)] {
        events.compactMap {
            if case .done(let segment, let text) = $0 { (segment, text) } else { nil }
        }
    }

    struct Endless: Error {}

    init(
        _ policy: RevisionPolicy, on model: any SequenceModel, _ tokenizer: Tokenizer,
        instruction: String = "Say something.", sampling: Sampling = .greedy,
        segmentTokens: Int? = nil, stops: [String] = [],
        afterFeed: (any SequenceCache, [TokenID], LogitRows, Bool) throws -> Void = { _, _, _, _ in
        }
    ) throws {
        var request = ChainRequest(
            prompt: Prompt.text(instruction: instruction), policy: policy, sampling: sampling)
        request.segmentTokens = segmentTokens
        request.stops = stops
        let prompt = tokenizer.prefix + tokenizer.encode(request.prompt, parsing: false)
        let collected = Mutex<[ChainEvent]>([])
        var decoder = ChainDecoder(
            request, prompt: prompt, tokenizer: tokenizer,
            endIDs: Set([tokenizer.eosID].compactMap { $0 }), elapsed: { .zero },
            emit: { event in collected.withLock { $0.append(event) } })
        let cache = model.makeCache()
        var held: [TokenID] = []
        let promptText = tokenizer.decode(prompt)
        var steps = 0
        loop: while true {
            let situation = SequenceSituation(
                count: cache.count, contextLength: model.contextLength,
                vocabularySize: model.vocabularySize)
            switch decoder.next(situation) {
            case .finish: break loop
            case .fail(let error): throw error
            case .feed(let tokens, let keeping, let wanted):
                let kept = keeping ?? cache.count
                let isRollback = kept < cache.count
                if isRollback { rollbacks += 1 }
                #expect(kept >= prompt.count - 1 || held.isEmpty, "the prompt was cut into")
                cache.truncate(to: kept)
                held = Array(held.prefix(kept)) + tokens
                let rows = LogitRows(
                    values: try model.decode([
                        SequenceStep(cache: cache, tokens: tokens, wanted: wanted)
                    ])[0], width: model.vocabularySize)
                #expect(cache.count == held.count)
                let written = decoder.written
                steps += 1
                guard steps < 5000 else { throw Endless() }
                // Between rollbacks the last character may still be incomplete.
                if written.isCached, isRollback {
                    #expect(held == prompt + written.ids)
                    #expect(tokenizer.decode(held) == promptText + written.text)
                }
                try afterFeed(cache, held, rows, isRollback)
                decoder.receive(rows)
            }
        }
        result = decoder.result
        events = collected.withLock { $0 }
        #expect(tokenizer.decode(prompt + result.ids) == promptText + result.generation)
        #expect(result.wholeGeneration == request.prompt + result.generation)
    }
}

/// Vocabularies that cut texts differently.
enum Vocabularies {
    static let texts = (1...12).map { number in
        """
        Draft \(number) says this.

        ### Feedback \(number):
        It is good. Revision is needed. Revision is not needed. No further revisions are needed.

        ### Revision \(number):
        Below is an instruction that describes a task.
        """
    }

    /// Whole words, small merges, single letters.
    static let all: [Tokenizer] = {
        var tokenizers: [Tokenizer] = []
        for (method, size) in [
            (VocabularyTrainer.Method.words(minimumCount: 2), 400), (.merges, 300), (.merges, 460),
        ] {
            var settings = VocabularyTrainer.Settings()
            settings.method = method
            settings.maximumSize = size
            var trainer = VocabularyTrainer(settings)
            for text in texts { trainer.add(text) }
            if let tokenizer = try? trainer.train() { tokenizers.append(tokenizer) }
        }
        return tokenizers
    }()
}
