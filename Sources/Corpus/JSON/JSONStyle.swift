/// How a JSON value is written.
public struct JSONStyle: Sendable, Hashable {
    /// Spaces a level; nil writes everything on one line.
    public var indent: Int?
    /// Whether everything beyond ASCII is written as `\uXXXX`.
    public var isASCII: Bool
    public var itemSeparator: String
    public var keySeparator: String
    /// Whether numbers are written as Python would after reading them, rather than as they were.
    public var hasPythonNumbers: Bool

    public init(
        indent: Int? = nil, isASCII: Bool = false, itemSeparator: String = ",",
        keySeparator: String = ":", hasPythonNumbers: Bool = false
    ) {
        self.indent = indent
        self.isASCII = isASCII
        self.itemSeparator = itemSeparator
        self.keySeparator = keySeparator
        self.hasPythonNumbers = hasPythonNumbers
    }

    /// The bytes of Python's `json.dumps(value)`.
    public static let python = JSONStyle(
        isASCII: true, itemSeparator: ", ", keySeparator: ": ", hasPythonNumbers: true)

    /// The bytes of Python's `json.dumps(value, indent=…, ensure_ascii=…)`.
    public static func python(indent: Int? = nil, isASCII: Bool = true) -> JSONStyle {
        JSONStyle(
            indent: indent, isASCII: isASCII, itemSeparator: indent == nil ? ", " : ",",
            keySeparator: ": ", hasPythonNumbers: true)
    }

    /// No space at all, UTF-8, numbers as they were.
    public static let compact = JSONStyle()

    /// Two spaces a level, UTF-8: for people.
    public static let readable = JSONStyle(indent: 2, keySeparator: ": ")
}
