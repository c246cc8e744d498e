import DataService
import RPC
import Testing

/// What a refusal of the data service says to programs.
struct DetailsTests {
    @Test func `the field that is wrong is named`() {
        for (error, field) in [
            (DataError.badName("a@b"), "name"), (.nothingToMerge, "inputs"),
            (.badOption(name: "limit", value: "x", allowed: "a number"), "options.limit"),
            (.badHash("xyz"), "hash"),
        ] as [(DataError, String)] {
            let status = error.status
            #expect(status.code == .invalidArgument)
            #expect(status.message == "\(error)")
            #expect(status.details?.reason == "FIELDS_INVALID")
            #expect(status.details?.domain == "hone.Data")
            #expect(status.details?.violations.map(\.field) == [field])
        }
    }

    @Test func `what is wrong with no field has no details`() {
        let status = DataError.noModel(name: "m").status
        #expect(status.code == .notFound)
        #expect(status.details == nil)
    }
}
