internal import CLibXML2

/// The text a reader of an HTML page sees, as BeautifulSoup's `get_text()` over lxml gives it.
///
/// The same parser in the same mode: libxml2's HTML push parser, fed in two pieces, replacing
/// entities, building no tree. What follows is what BeautifulSoup adds: comments, declarations and
/// the insides of `script`, `style`, `template`, `rt` and `rp` are no text, and a run of white space
/// alone, outside `pre` and `textarea`, becomes one newline or one space.
public enum HTMLText {
    /// Extracts the text; markup that cannot be understood is passed over, nothing is refused.
    public static func text(of html: String) -> String {
        var bytes = Array(html.utf8)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        let collector = HTMLTextCollector()
        HTMLParse.run(bytes, into: collector)
        return collector.finish()
    }
}

/// Puts the parser's events together to text. Not `Sendable`: one parse owns it.
final class HTMLTextCollector {
    private var output: [UInt8] = []
    private var run: [UInt8] = []
    private var open: [String] = []
    /// How deep each open element stands that keeps white space, or hides its text.
    private var keeping: [Int] = []
    private var hiding: [Int] = []

    func start(_ name: String) {
        flush()
        open.append(name)
        switch name {
        case "pre", "textarea": keeping.append(open.count)
        case "script", "style", "template", "rt", "rp": hiding.append(open.count)
        default: break
        }
    }

    func end(_ name: String) {
        flush()
        guard open.contains(name) else { return }
        while let last = open.popLast() {
            if keeping.last == open.count + 1 { keeping.removeLast() }
            if hiding.last == open.count + 1 { hiding.removeLast() }
            if last == name { return }
        }
    }

    func text(_ bytes: some Sequence<UInt8>) { run.append(contentsOf: bytes) }

    /// Ends a run of text, as comments and declarations do too.
    func flush() {
        guard !run.isEmpty else { return }
        defer { run = [] }
        if !hiding.isEmpty { return }
        if keeping.isEmpty, run.allSatisfy(Self.isSpace) {
            output.append(run.contains(0x0A) ? 0x0A : 0x20)
        } else {
            output += run
        }
    }

    func finish() -> String {
        flush()
        return String(decoding: output, as: UTF8.self)
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0C || byte == 0x0D
    }
}

/// The one place that speaks to libxml2.
private enum HTMLParse {
    private static let isReady: Bool = {
        xmlInitParser()
        return true
    }()

    /// No errors printed, no network, as lxml's default.
    private static let options = Int32(
        HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue
            | HTML_PARSE_NOWARNING.rawValue | HTML_PARSE_NONET.rawValue
            | HTML_PARSE_COMPACT.rawValue)

    static func run(_ bytes: [UInt8], into collector: HTMLTextCollector) {
        guard isReady,
            let parser = unsafe htmlCreatePushParserCtxt(
                nil, nil, nil, 0, nil, XML_CHAR_ENCODING_NONE)
        else { return }
        defer { unsafe freeParser(parser) }
        guard let events = unsafe parser.pointee.sax else { return }
        unsafe connect(events)
        // The collector outlives the parser: the caller holds it until `run` returns.
        unsafe parser.pointee._private = Unmanaged.passUnretained(collector).toOpaque()
        // The first four bytes tell the parser its encoding, the rest comes in one piece; where the
        // pieces end decides what the parser takes for white space between elements.
        let headCount = min(4, bytes.count)
        unsafe bytes.withUnsafeBytes { buffer in
            let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            unsafe xmlCtxtResetPush(parser, start, Int32(headCount), nil, "UTF-8")
            unsafe htmlCtxtUseOptions(parser, options)
            var offset = headCount
            while let start = unsafe start, offset < bytes.count {
                let count = min(bytes.count - offset, Int(Int32.max))
                unsafe htmlParseChunk(parser, start + offset, Int32(count), 0)
                offset += count
            }
            unsafe htmlParseChunk(parser, nil, 0, 1)
        }
    }

    private static func freeParser(_ parser: htmlParserCtxtPtr) {
        // The document holds a declaration at most, but it is ours to free.
        if let document = unsafe parser.pointee.myDoc { unsafe xmlFreeDoc(document) }
        unsafe htmlFreeParserCtxt(parser)
    }

    /// Replaces what would build a tree. `internalSubset` and `startDocument` stay: the parser asks
    /// the document's declaration which white space counts.
    private static func connect(_ events: UnsafeMutablePointer<xmlSAXHandler>) {
        unsafe events.pointee.startElement = { context, name, _ in
            unsafe HTMLParse.collector(of: context)?.start(HTMLParse.string(name))
        }
        unsafe events.pointee.endElement = { context, name in
            unsafe HTMLParse.collector(of: context)?.end(HTMLParse.string(name))
        }
        unsafe events.pointee.characters = { context, bytes, count in
            unsafe HTMLParse.collector(of: context)?.text(
                UnsafeBufferPointer(start: bytes, count: Int(count)))
        }
        unsafe events.pointee.cdataBlock = unsafe events.pointee.characters
        unsafe events.pointee.comment = { context, _ in
            unsafe HTMLParse.collector(of: context)?.flush()
        }
        unsafe events.pointee.processingInstruction = { context, _, _ in
            unsafe HTMLParse.collector(of: context)?.flush()
        }
        unsafe events.pointee.internalSubset = { context, name, publicID, systemID in
            unsafe HTMLParse.collector(of: context)?.flush()
            unsafe xmlSAX2InternalSubset(context, name, publicID, systemID)
        }
        unsafe events.pointee.reference = nil
    }

    private static func collector(of context: UnsafeMutableRawPointer?) -> HTMLTextCollector? {
        guard let parser = unsafe context?.assumingMemoryBound(to: xmlParserCtxt.self),
            let held = unsafe parser.pointee._private
        else { return nil }
        return unsafe Unmanaged<HTMLTextCollector>.fromOpaque(held).takeUnretainedValue()
    }

    private static func string(_ bytes: UnsafePointer<xmlChar>?) -> String {
        guard let bytes = unsafe bytes else { return "" }
        return unsafe String(cString: bytes)
    }
}
