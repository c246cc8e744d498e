import RPC
import Schema
import Testing

/// Each `register` gives every call of its service a handler.
struct RouterTests {
    @Test func `registering all handlers answers every path of the schema`() throws {
        var router = Router()
        let data: some DataAPI.Handler = Refusing()
        router.register(data)
        let augmentation: some AugmentationAPI.Handler = Refusing()
        router.register(augmentation)
        let trainer: some TrainerAPI.Handler = Refusing()
        router.register(trainer)
        let inference: some InferenceAPI.Handler = Refusing()
        router.register(inference)
        let evaluator: some EvaluatorAPI.Handler = Refusing()
        router.register(evaluator)
        let gateway: some GatewayAPI.Handler = Refusing()
        router.register(gateway)
        let admin: some AdminAPI.Handler = Refusing()
        router.register(admin)
        let paths = try SchemaText.repository().calls.map(\.path)
        #expect(router.paths == paths.sorted())
    }
}
