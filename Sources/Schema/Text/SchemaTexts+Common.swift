extension SchemaTexts {
    /// `proto/common.schema`, to the letter.
    static let common = #"""
        schema hone.common

        /// Says nothing: the request or reply of calls that need none.
        message Empty {
        }

        /// Bytes known by what they are: a file in the data service.
        message Artifact {
            /// SHA-256 of the bytes, 64 hexadecimal digits in lower case.
            1: string hash
            /// How many bytes there are.
            2: uint bytes
            /// The kind of content, such as `application/json`; empty where nobody said.
            3: string mediaType
        }

        /// A part of an artifact on its way, up to 1 MiB of it; parts come in order.
        message ArtifactChunk {
            /// In the first chunk only. When writing, `hash` may be empty; if it is not, it is \#
        checked.
            1: optional Artifact artifact
            /// Where `data` begins, counted from the artifact's first byte.
            2: uint offset
            /// The bytes themselves.
            3: bytes data
        }

        /// Where to reach a teacher or a judge: any service that speaks OpenAI's protocol.
        message ChatEndpoint {
            /// The base address, such as `https://api.openai.com/v1`.
            1: string url
            /// The model's name there.
            2: string model
            /// Keys used in turn. Never logged, never part of a job's visible state.
            3: repeated string keys
            /// How many requests may start in a minute, all keys together; 0 sets no limit.
            4: uint requestsPerMinute
            /// How long one request may take; 0 means the service's default.
            5: uint timeoutMilliseconds
        }

        /// How closely the SelFee original is followed.
        enum ChainMode {
            /// Verdicts by grammar, headings escaped, numbering enforced, nothing lost in \#
        silence.
            0: strict
            /// The original, bit for bit, its faults included.
            1: selfee
        }

        """#
}
