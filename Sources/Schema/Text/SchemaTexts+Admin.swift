extension SchemaTexts {
    /// `proto/admin.schema`, to the letter.
    static let admin = #"""
        schema hone.admin

        /// What every server tells of itself; answered however busy it is.
        service hone.Admin {
            /// Tells which calls the server answers, with the text of their schemas.
            call Describe(DescribeRequest) returns Description idempotent
            /// Tells the numbers that the process counts.
            call Metrics(MetricsRequest) returns MetricsReply idempotent
        }

        /// Asks what a server answers.
        message DescribeRequest {
            /// Only this service, such as `hone.Data`; empty asks for all.
            1: string service
        }

        /// What a server answers.
        message Description {
            /// The paths of the calls, such as `/hone.Data/List`, sorted.
            1: repeated string paths
            /// The texts that declare them, each after those it uses.
            2: repeated SchemaSource schemas
            /// FNV-1a of the texts, 16 hexadecimal digits: the same hash is the same contract.
            3: string hash
        }

        /// One schema's text.
        message SchemaSource {
            /// The package it declares, such as `hone.data`.
            1: string package
            /// The text, as `proto/` has it.
            2: string text
        }

        /// Asks for all numbers.
        message MetricsRequest {
        }

        /// The numbers of a process.
        message MetricsReply limit 16 MiB {
            /// Prometheus's text format, version 0.0.4.
            1: string text
        }

        """#
}
