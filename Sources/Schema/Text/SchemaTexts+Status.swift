extension SchemaTexts {
    /// `proto/status.schema`, to the letter.
    static let status = #"""
        schema hone.status

        /// What a status says to programs, in the trailer `grpc-status-details-bin`; at most 4 \#
        KiB.
        message StatusDetails {
            /// gRPC's number of the code, the same as in `grpc-status`.
            1: uint code
            /// The message for a person, the same as in `grpc-message`.
            2: string message
            /// What happened, in capitals, such as `FIELDS_INVALID`; a word's meaning never \#
        changes.
            3: string reason
            /// Who gives the reason its meaning, such as `hone.Data`.
            4: string domain
            /// The values that the reason speaks of.
            5: map<string, string> metadata
            /// How long to wait before another attempt; absent where nobody said.
            6: optional uint retryAfterMilliseconds
            /// What is wrong with the request's fields.
            7: repeated FieldViolation violations
        }

        /// What is wrong with one field.
        message FieldViolation {
            /// Where it is, such as `inputs[2].dataset.name`.
            1: string field
            /// What it should be, for a person.
            2: string description
        }

        """#
}
