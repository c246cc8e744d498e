extension SchemaTexts {
    /// `proto/data.schema`, to the letter.
    static let data = #"""
        schema hone.data
        uses hone.common

        /// Owns datasets with their versions, artifacts by hash, and the registry of models.
        service hone.Data {
            /// Reads a file into a new dataset version: a header, then the file's bytes in \#
        parts.
            call Import(stream ImportRequest) returns DatasetVersion
            /// Joins datasets in the order given into a new version.
            call Merge(MergeRequest) returns DatasetVersion idempotent
            /// Cuts a dataset in two.
            call Split(SplitRequest) returns DatasetList idempotent
            /// Writes a dataset out in a file format.
            call Export(ExportRequest) returns stream ArtifactChunk idempotent
            /// Counts what a dataset holds and what its import refused.
            call Stats(DatasetReference) returns DatasetStatistics idempotent
            /// Lists datasets.
            call List(DatasetQuery) returns DatasetList idempotent
            /// Stores bytes; the same bytes again are the same artifact.
            call WriteArtifact(stream ArtifactChunk) returns Artifact
            /// Hands out an artifact's bytes from an offset on.
            call ReadArtifact(ArtifactRequest) returns stream ArtifactChunk idempotent
            /// Enters a model; the same name again replaces the entry.
            call RegisterModel(ModelRecord) returns ModelRecord idempotent
            /// Looks a model up.
            call GetModel(ModelReference) returns ModelRecord idempotent
            /// Lists the models entered.
            call ListModels(Empty) returns ModelList idempotent
        }

        /// The form of a file that is read.
        enum DatasetFormat {
            /// Nothing said; an import refuses it.
            0: unspecified
            /// Alpaca's JSON array of instruction, input, output.
            1: alpaca
            /// ShareGPT's JSON array of conversations, HTML inside.
            2: sharegpt
            /// GSM8K's JSON Lines of question and answer.
            3: gsm8k
            /// MBPP's JSON Lines of text and code.
            4: mbpp
            /// CoNaLa's intents and snippets.
            5: conala
            /// AQuA's questions, options and rationales.
            6: aqua
            /// MATH's problems and solutions.
            7: math
            /// FLAN's tables of question, answer and thought, or its inputs and targets.
            8: flan
            /// Chains as SelFee wrote them, an array or lines.
            9: selfee
            /// Conversations of role and content.
            10: chat
            /// Vicuna's question file.
            11: questions
            /// Vicuna's answer file.
            12: answers
            /// Vicuna's review file.
            13: reviews
            /// DrRepair's broken and repaired programs.
            14: drrepair
            /// A judge's prompts.
            15: prompts
            /// The judges and their settings.
            16: reviewers
            /// Any JSON objects, an array or lines.
            17: lines
        }

        /// The form of a file that is written.
        enum ExportFormat {
            /// Nothing said; an export refuses it.
            0: unspecified
            /// SelFee chains, one JSON object a line.
            1: selfeeLines
            /// SelFee chains, one JSON array.
            2: selfeeArray
            /// Alpaca's JSON array.
            3: alpacaArray
            /// Every record as it is kept, one JSON object a line.
            4: lines
        }

        /// What to make of the bytes that follow.
        message ImportHeader {
            /// The dataset's name; a new version of it comes into being.
            1: string name
            /// The form of the bytes.
            2: DatasetFormat format
            /// The label every record gets; empty keeps the records' own.
            3: string label
            /// Whether only rows in English stay; ShareGPT's conversations do so anyhow.
            4: bool englishOnly
            /// Further choices, by name: `pair` (human, original), `language` (english, any), \#
        `questions` and
            /// `duplicates` (keep, drop), `limit`.
            5: map<string, string> options
        }

        /// A part of an import.
        message ImportRequest {
            /// In the first part only.
            1: optional ImportHeader header
            /// The file's next bytes, up to 1 MiB.
            2: bytes data
        }

        /// Names a dataset.
        message DatasetReference {
            /// The dataset's name.
            1: string name
            /// The version's hash; empty means the latest.
            2: string version
        }

        /// One version of a dataset: it never changes.
        message DatasetVersion {
            /// The dataset's name.
            1: string name
            /// Hash of the version's content: the same content is the same version.
            2: string version
            /// How many records it holds.
            3: uint examples
            /// How many bytes its records take.
            4: uint bytes
            /// When it was made, in milliseconds since 1970.
            5: uint createdAtMilliseconds
            /// The form its records came in.
            6: DatasetFormat format
            /// The versions it was made of, as `name@version`.
            7: repeated string parents
            /// The label its records were given.
            8: string label
            /// The records as an artifact, one JSON object a line.
            9: Artifact artifact
        }

        /// One dataset that goes into a merge.
        message MergeInput {
            /// Which one.
            1: DatasetReference dataset
            /// The label its records get. Empty keeps their own; those without get the \#
        dataset's, else what
            /// stands last in its name.
            2: string label
        }

        /// Asks for a merge.
        message MergeRequest {
            /// The name of what is made.
            1: string name
            /// What goes in, in this order.
            2: repeated MergeInput inputs
        }

        /// Asks for a split; `fraction` or `count` says how large the first part is.
        message SplitRequest {
            /// What is cut.
            1: DatasetReference dataset
            /// The first part's share, between 0 and 1; 0 if `count` says it.
            2: f64 fraction
            /// The first part's size in records; 0 if `fraction` says it.
            3: uint count
            /// Which records go where; the same seed cuts the same way.
            4: uint seed
            /// The names of the first part and of the rest.
            5: repeated string names
        }

        /// Asks for a dataset as a file.
        message ExportRequest {
            /// Which one.
            1: DatasetReference dataset
            /// The file's form.
            2: ExportFormat format
        }

        /// What a dataset holds.
        message DatasetStatistics {
            /// Records in all.
            1: uint examples
            /// Records that are chains.
            2: uint chains
            /// Answer texts in all, first drafts and revisions.
            3: uint drafts
            /// Entry n counts the chains with n revisions.
            4: packed u64 iterations
            /// Chains that ended only because they had reached their longest length.
            5: uint truncated
            /// Records by label.
            6: map<string, uint> labels
            /// Records refused at the import, by reason.
            7: map<string, uint> rejected
            /// Drafts a chain, on average.
            8: f64 meanIterations
            /// Chains whose last feedback says "not needed" in one of the original's six ways.
            9: uint notNeeded
            /// Characters in all texts.
            10: uint characters
            /// Further counts and lengths, by name.
            11: map<string, f64> measures
            /// The rows the import refused, with reasons, as JSON lines; absent where it \#
        refused none.
            12: optional Artifact rejectedRows
        }

        /// Asks which datasets there are.
        message DatasetQuery {
            /// Only names that begin so; empty gives all.
            1: string namePrefix
            /// Whether older versions are listed too.
            2: bool allVersions
            /// At most so many; 0 means the service's default.
            3: uint limit
        }

        /// Dataset versions.
        message DatasetList {
            /// The versions, the newest first.
            1: repeated DatasetVersion versions
        }

        /// Asks for an artifact's bytes.
        message ArtifactRequest {
            /// Which artifact.
            1: string hash
            /// The first byte wanted.
            2: uint offset
        }

        /// One file of a model.
        message ModelFile {
            /// Its path inside the model's folder, such as `config.json`.
            1: string path
            /// Its bytes.
            2: Artifact artifact
        }

        /// A model's entry in the registry.
        message ModelRecord {
            /// The name it is known by.
            1: string name
            /// Its files, in Hugging Face layout.
            2: repeated ModelFile files
            /// The model it was trained from; empty for none.
            3: string parent
            /// When it was entered, in milliseconds since 1970; the service fills it in.
            4: uint createdAtMilliseconds
            /// What else is known of it.
            5: map<string, string> notes
        }

        /// Names a model in the registry.
        message ModelReference {
            /// The name.
            1: string name
        }

        /// The registry's entries.
        message ModelList {
            /// The models, by name.
            1: repeated ModelRecord models
        }

        """#
}
