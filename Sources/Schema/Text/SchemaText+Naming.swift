extension SchemaText {
    /// A call by its name, `hone.Data/Stats`, a leading slash allowed.
    package func call(named name: String) -> Call? {
        let path = name.hasPrefix("/") ? name : "/" + name
        return calls.first { $0.path == path }
    }

    /// The text of a service, a call with its messages, a message or an enumeration; nil where
    /// nothing has that name, or more than one thing has.
    package func describe(_ name: String) -> String? {
        if let service = services[name] { return service }
        if let call = call(named: name) {
            let parts = [call.text, messages[call.request]?.text, messages[call.response]?.text]
            return parts.compactMap(\.self).joined(separator: "\n")
        }
        if let text = messages[name]?.text ?? enumerations[name]?.text { return text }
        let short = "." + name
        let found =
            messages.values.filter { $0.name.hasSuffix(short) }.map(\.text)
            + enumerations.values.filter { $0.name.hasSuffix(short) }.map(\.text)
        return found.count == 1 ? found[0] : nil
    }
}
