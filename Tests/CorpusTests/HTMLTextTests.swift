import Corpus
import FoundationEssentials
import TestKit
import Testing

@Suite struct HTMLTextTests {
    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("<p>one</p><p>two</p>", "onetwo"),
        ("a &lt;b&gt; &amp; &eacute;&#x1F600;", "a <b> & é😀"),
        ("x<!-- hidden -->y", "xy"), ("<script>var x;</script>z<style>p{}</style>", "z"),
        ("<p>a</p>\n\n  <p>b</p>", "a\nb"), ("<pre>a</pre><pre>\n\n</pre>", "a\n\n"),
        ("vector<int> v;", "vector v;"), ("\u{FEFF}x", "x"),
    ])
    func `text is what a reader sees`(html: String, text: String) {
        #expect(HTMLText.text(of: html) == text)
    }

    @Test(
        .enabled(if: SharedData.isPresent, "\(SharedData.reason)"),
        arguments: ["html5lib", "pages", "sharegpt"])
    func `text equals BeautifulSoup's byte for byte`(name: String) throws {
        let path = try SharedData.file("data/html/\(name).jsonl").path
        let rows = try FileImport.records(path: path, format: .lines)
        #expect(rows.count > 20)
        for row in rows {
            guard let html = row["html"]?.stringValue, let expected = row["text"]?.stringValue
            else {
                Issue.record("a row without html and text")
                continue
            }
            let text = HTMLText.text(of: html)
            let id = row["id"]?.stringValue ?? ""
            #expect(text.utf8.elementsEqual(expected.utf8), "row \(id)")
        }
    }
}
