/// Encodes, decodes or describes a message, as `WireMessage.code(with:)` names its fields to it.
///
/// The methods named after the schema's types each stand for one field. Encoding writes the field
/// unless it has its default. Decoding fills it if it is the field next on the wire: canonical
/// bytes are read in one pass over the list; out of order, another pass follows. The first error
/// stops the decoding.
public struct WireCoder: Sendable {
    enum Mode { case encoding, decoding, describing }

    let mode: Mode
    var writer = WireWriter()
    var reader: WireReader
    private(set) var fields: [WireField] = []

    /// Decoding: the tag whose payload comes next; 0 where none does.
    private var pendingTag: UInt32 = 0
    private var pendingStart = 0
    /// Decoding: whether the pass has taken a field.
    private var tookField = false
    /// Decoding: whether no line has taken the pending field.
    private var isUnclaimed = false
    private var failure: WireError?
    /// Encoding: kept fields not yet written, in descending order of tag.
    private var keptFields: [(tag: UInt32, field: ArraySlice<UInt8>)] = []

    init(encoding: Void) {
        mode = .encoding
        writer.reserveCapacity(128)
        reader = WireReader([])
    }

    init(decoding bytes: [UInt8]) {
        mode = .decoding
        reader = WireReader(bytes)
    }

    init(describing: Void) {
        mode = .describing
        reader = WireReader([])
    }

    /// Keeps the fields that no other line knows, and writes them out again in their places.
    ///
    /// It must be the first line.
    public mutating func keep(_ unknown: inout UnknownFields) {
        switch mode {
        case .encoding:
            if !unknown.isEmpty {
                keptFields = unknown.sorted().reversed()
            }
        case .decoding:
            if isUnclaimed {
                // Not of the messages inside those that follow, which ask for themselves.
                isUnclaimed = false
                take(pendingTag) { [pendingStart] reader throws(WireError) in
                    try reader.claim(UnknownFields.bytesPerSortedField)
                    reader.skip()
                    unknown.append(reader.field(from: pendingStart))
                }
            }
        case .describing:
            break
        }
    }

    // MARK: - The parts that the lines are made of

    /// Encoding, before a field is written: kept fields of lower tags go first.
    mutating func precede(_ tag: UInt32) {
        while let next = keptFields.last, next.tag < tag {
            writer.append(next.field)
            keptFields.removeLast()
        }
    }

    mutating func encodeMessage(_ message: some WireMessage) {
        var outer: [(tag: UInt32, field: ArraySlice<UInt8>)] = []
        swap(&outer, &keptFields)
        var copy = message
        copy.code(with: &self)
        while let next = keptFields.popLast() {
            writer.append(next.field)
        }
        swap(&outer, &keptFields)
    }

    /// Decodes the payload into `message`, the outermost one.
    mutating func decodeMessage(into message: inout some WireMessage) throws(WireError) {
        let outer = try reader.enter()
        advance()
        decodeFields(of: &message)
        if let failure { throw failure }
        try reader.leave(outer)
    }

    /// Decoding: whether the field of this tag comes next.
    func isNext(_ tag: UInt32) -> Bool { tag == pendingTag }

    /// Decoding: fills a value if its field comes next.
    mutating func take(
        _ tag: UInt32, _ read: (inout WireReader) throws(WireError) -> Void
    ) {
        guard tag == pendingTag else { return }
        do {
            try read(&reader)
            tookField = true
            advance()
        } catch {
            fail(error)
        }
    }

    /// Decoding: fills a nested message if its field comes next.
    ///
    /// - Returns: nil if another field comes next, or on error.
    mutating func takeMessage<Message: WireMessage>(
        _ tag: UInt32, claiming bytes: Int = 0
    ) -> Message? {
        guard tag == pendingTag else { return nil }
        do {
            try reader.claim(bytes)
            let outer = try reader.enter()
            advance()
            var message = Message()
            decodeFields(of: &message)
            guard failure == nil else { return nil }
            try reader.leave(outer)
            tookField = true
            advance()
            return message
        } catch {
            fail(error)
            return nil
        }
    }

    mutating func describe(_ tag: UInt32, _ name: String, _ type: WireType) {
        fields.append(WireField(tag: tag, name: name, type: type))
    }

    private mutating func decodeFields(of message: inout some WireMessage) {
        var keepsUnknown = true
        while pendingTag != 0 {
            tookField = false
            message.code(with: &self)
            guard !tookField, failure == nil else { continue }
            if keepsUnknown {
                isUnclaimed = true
                message.code(with: &self)
                isUnclaimed = false
                keepsUnknown = tookField
            }
            if !tookField {
                reader.skip()
                advance()
            }
        }
    }

    /// Moves to the next field; after an error there is none.
    private mutating func advance() {
        guard failure == nil else { return }
        do {
            pendingStart = reader.offset
            pendingTag = try reader.nextField() ?? 0
        } catch {
            fail(error)
        }
    }

    private mutating func fail(_ error: WireError) {
        pendingTag = 0
        failure = failure ?? error
    }
}
