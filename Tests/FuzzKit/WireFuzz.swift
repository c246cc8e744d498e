import Schema
import Wire

/// The properties of messages: their bytes, and their JSON by the schema's text.
enum WireFuzz {
    private static let types: [any WireMessage.Type] = Catalogue.messages + [Letter.self]
    private static let transcoder = Result { Transcoder(try SchemaText(parsing: SchemaTexts.all)) }

    static func messages(_ source: inout ByteSource) throws {
        let type = types[Int(source.byte()) % types.count]
        let choice = source.byte()
        if choice % 4 == 0 { return try check(type, source.all()) }
        var maker = WireMaker(source)
        let bytes = maker.message(type.fields)
        if choice % 4 == 1, type != Letter.self {
            return try checkText(type, bytes, &maker.source)
        }
        try check(type, bytes)
    }

    /// Bytes that decode become canonical ones, which are no longer and stand for the same.
    private static func check<Message: WireMessage>(
        _ type: Message.Type, _ bytes: [UInt8]
    ) throws {
        let message: Message
        do throws(WireError) {
            message = try Message(decoding: bytes)
        } catch {
            return try require(
                (0...bytes.count).contains(error.offset), "\(error) in \(bytes.count) bytes")
        }
        let encoded = message.encoded()
        try require(encoded.count <= bytes.count, "\(bytes) grew to \(encoded)")
        let again = try Message(decoding: encoded)
        try require(again.encoded() == encoded, "\(encoded) became \(again.encoded())")
        // What holds a NaN equals nothing, not even what the same bytes become.
        let isEqual = try again == message || message != Message(decoding: bytes)
        try require(isEqual, "\(message) became \(again)")
        if type != Letter.self { try checkJSON(message, bytes) }
    }

    /// JSON of a message that was read is the same once read and written again.
    private static func checkJSON<Message: WireMessage>(
        _ message: Message, _ bytes: [UInt8]
    ) throws {
        let (transcoder, name) = (try transcoder.get(), Message.wireName)
        let text = try transcoder.json(of: bytes, as: name)
        try require(
            text.utf8.count <= 64 * bytes.count + 64,
            "\(bytes.count) bytes became \(text.utf8.count) of JSON")
        let read = try transcoder.bytes(ofJSON: text, as: name)
        let again = try transcoder.json(of: try Message(decoding: read).encoded(), as: name)
        let canonical = try transcoder.json(of: message.encoded(), as: name)
        try require(again == canonical, "\(text) became \(again) instead of \(canonical)")
    }

    /// JSON with something changed is a message all the same, or an error that names its place.
    private static func checkText<Message: WireMessage>(
        _ type: Message.Type, _ bytes: [UInt8], _ source: inout ByteSource
    ) throws {
        let transcoder = try transcoder.get()
        // What was made may have something wrong inside.
        guard let valid = try? transcoder.json(of: bytes, as: Message.wireName) else { return }
        var text = Array(valid.utf8)
        for _ in 0..<1 + source.byte() % 4 {
            let place = Int(source.byte()) * 7 % (text.count + 1)
            let count = Int(source.byte() % 4)
            text.replaceSubrange(
                place..<min(place + count, text.count), with: source.bytes(Int(source.byte() % 8)))
        }
        let read: [UInt8]
        do throws(TranscodingError) {
            read = try transcoder.bytes(
                ofJSON: String(decoding: text, as: UTF8.self), as: Message.wireName)
        } catch {
            return try require(error.path.hasPrefix("$"), "\(error) names no place")
        }
        do throws(WireError) {
            _ = try Message(decoding: read)
        } catch {
            // JSON's numbers and lists may be larger than a message's.
            switch error {
            case .valueOutOfRange, .tooMuchMemory, .tooDeep: return
            default: throw FuzzFailure("JSON became bytes that are no message: \(error)")
            }
        }
        try check(type, read)
    }
}
