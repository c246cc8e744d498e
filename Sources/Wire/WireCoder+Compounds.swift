extension WireCoder {
    /// A nested message that is left out when all its fields have their defaults.
    public mutating func message<Message: WireMessage>(
        _ tag: UInt32, _ name: String, _ value: inout Message
    ) {
        switch mode {
        case .encoding: write(tag, value, keepingEmpty: false)
        case .decoding: if let message: Message = takeMessage(tag) { value = message }
        case .describing: describe(tag, name, .message(Message.wireName))
        }
    }

    /// A nested message that may be absent, which is another thing than empty.
    public mutating func message<Message: WireMessage>(
        _ tag: UInt32, _ name: String, _ value: inout Message?
    ) {
        switch mode {
        case .encoding: if let value { write(tag, value, keepingEmpty: true) }
        case .decoding: if let message: Message = takeMessage(tag) { value = message }
        case .describing: describe(tag, name, .optional(.message(Message.wireName)))
        }
    }

    /// Nested messages, one field each.
    public mutating func repeated<Message: WireMessage>(
        _ tag: UInt32, _ name: String, _ values: inout [Message]
    ) {
        switch mode {
        case .encoding:
            for value in values { write(tag, value, keepingEmpty: true) }
        case .decoding:
            let size = MemoryLayout<Message>.stride
            while let message: Message = takeMessage(tag, claiming: size) {
                values.append(message)
            }
        case .describing: describe(tag, name, .repeated(.message(Message.wireName)))
        }
    }

    /// Strings, one field each.
    public mutating func repeated(_ tag: UInt32, _ name: String, _ values: inout [String]) {
        switch mode {
        case .encoding:
            if !values.isEmpty { precede(tag) }
            for value in values { writer.string(tag, value) }
        case .decoding:
            while isNext(tag) {
                take(tag) { reader throws(WireError) in
                    try reader.claim(MemoryLayout<String>.stride)
                    values.append(try reader.string())
                }
            }
        case .describing: describe(tag, name, .repeated(.string))
        }
    }

    public mutating func packed(_ tag: UInt32, _ name: String, _ values: inout [Float]) {
        scalars(tag, name, &values)
    }

    public mutating func packed(_ tag: UInt32, _ name: String, _ values: inout [Double]) {
        scalars(tag, name, &values)
    }

    public mutating func packed(_ tag: UInt32, _ name: String, _ values: inout [UInt32]) {
        scalars(tag, name, &values)
    }

    public mutating func packed(_ tag: UInt32, _ name: String, _ values: inout [Int32]) {
        scalars(tag, name, &values)
    }

    public mutating func packed(_ tag: UInt32, _ name: String, _ values: inout [UInt64]) {
        scalars(tag, name, &values)
    }

    public mutating func map(_ tag: UInt32, _ name: String, _ values: inout [String: String]) {
        pairs(tag, name, .string, &values) { (writer: inout WireWriter, value: String) in
            if !value.isEmpty { writer.string(2, value) }
        } reading: { reader throws(WireError) in
            try reader.string()
        }
    }

    public mutating func map(_ tag: UInt32, _ name: String, _ values: inout [String: Int]) {
        pairs(tag, name, .uint, &values) { (writer: inout WireWriter, value: Int) in
            precondition(value >= 0, "\(name) has \(value); it holds no negative numbers")
            if value != 0 { writer.uint(2, UInt64(value)) }
        } reading: { reader throws(WireError) in
            try reader.nonNegative()
        }
    }

    public mutating func map(_ tag: UInt32, _ name: String, _ values: inout [String: Double]) {
        pairs(tag, name, .f64, &values) { (writer: inout WireWriter, value: Double) in
            if value.bitPattern != 0 { writer.f64(2, value) }
        } reading: { reader throws(WireError) in
            try reader.f64()
        }
    }

    // Kept apart from the public methods so that it is specialised for each scalar here.
    private mutating func scalars<Scalar: WireScalar>(
        _ tag: UInt32, _ name: String, _ values: inout [Scalar]
    ) {
        switch mode {
        case .encoding:
            if !values.isEmpty {
                precede(tag)
                writer.packed(tag, values)
            }
        case .decoding: take(tag) { reader throws(WireError) in values = try reader.packed() }
        case .describing: describe(tag, name, .packed(Scalar.wireType))
        }
    }

    /// A map: one field a pair, sorted by the keys' bytes, each a message of key (1) and value (2).
    private mutating func pairs<Value: Sendable>(
        _ tag: UInt32, _ name: String, _ type: WireType, _ values: inout [String: Value],
        writing write: (inout WireWriter, Value) -> Void,
        reading read: (inout WireReader) throws(WireError) -> Value
    ) where Value: WireDefault {
        switch mode {
        case .encoding:
            if !values.isEmpty { precede(tag) }
            let sorted = values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (key, value) in sorted {
                let start = writer.open(tag)
                if !key.isEmpty { writer.string(1, key) }
                write(&writer, value)
                writer.close(start)
            }
        case .decoding:
            while isNext(tag) {
                take(tag) { reader throws(WireError) in
                    let pair = try reader.pair(read)
                    if values[pair.key] == nil {
                        // A hash table keeps spare places: about three for two pairs, or more.
                        try reader.claim(2 * MemoryLayout<(String, Value)>.stride)
                    }
                    values[pair.key] = pair.value
                }
            }
        case .describing: describe(tag, name, .map(type))
        }
    }

    private mutating func write(
        _ tag: UInt32, _ message: some WireMessage, keepingEmpty: Bool
    ) {
        precede(tag)
        let start = writer.open(tag)
        encodeMessage(message)
        if keepingEmpty || writer.bytes.count > start {
            writer.close(start)
        } else {
            writer.withdraw(start, tag: tag)
        }
    }
}

/// A map's value: what it is when its field is left out.
protocol WireDefault {
    init()
}

extension String: WireDefault {}
extension Int: WireDefault {}
extension Double: WireDefault {}

extension WireReader {
    fileprivate mutating func pair<Value: WireDefault>(
        _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> (key: String, value: Value) {
        try message { reader throws(WireError) in
            var pair = (key: "", value: Value())
            while let tag = try reader.nextField() {
                switch tag {
                case 1: pair.key = try reader.string()
                case 2: pair.value = try read(&reader)
                default: reader.skip()
                }
            }
            return pair
        }
    }
}
