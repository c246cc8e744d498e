import HTTPTypes
import Hummingbird
import NIOCore

/// A file of the page, embedded in the executable.
struct PageFile: Sendable {
    let path: String
    let mediaType: String
    let bytes: [UInt8]

    static let all: [PageFile] = [
        PageFile(
            path: "/", mediaType: "text/html; charset=utf-8", bytes: PackageResources.index_html),
        PageFile(
            path: "/page.css", mediaType: "text/css; charset=utf-8",
            bytes: PackageResources.page_css),
        PageFile(
            path: "/page.js", mediaType: "text/javascript; charset=utf-8",
            bytes: PackageResources.page_js),
    ]

    /// Nothing but our own three files may be loaded or run.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
        + " data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    func response() -> Response {
        var headers: HTTPFields = [
            .contentType: mediaType, .cacheControl: "no-cache",
            .contentSecurityPolicy: Self.policy, .xContentTypeOptions: "nosniff",
        ]
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "no-referrer" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
