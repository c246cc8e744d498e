public import FoundationEssentials
public import Tensors

extension LlamaWeights {
    /// How a folder is written.
    public struct SaveOptions: Sendable {
        public var type: ElementType
        /// A safetensors file holds no more than this, unless one tensor does alone.
        public var maximumShardBytes: Int
        /// Files copied into the folder: the tokenizer's.
        public var alongside: [URL]

        public init(
            type: ElementType = .float32, maximumShardBytes: Int = 5_000_000_000,
            alongside: [URL] = []
        ) {
            self.type = type
            self.maximumShardBytes = maximumShardBytes
            self.alongside = alongside
        }
    }

    /// Writes the Hugging Face layout: config.json, generation_config.json, safetensors.
    ///
    /// The folder appears whole or not at all; an older one of that name is replaced.
    public func save(to folder: URL, _ options: SaveOptions = SaveOptions()) throws {
        try DurableFolder.replace(folder.path) { temporary in
            try write(into: URL(filePath: temporary, directoryHint: .isDirectory), options)
        }
    }

    /// Writes the same files into a folder that is there.
    package func write(into folder: URL, _ options: SaveOptions = SaveOptions()) throws {
        try writeFile(
            folder, "config.json", Array(configuration.json(type: options.type.rawValue)))
        try writeFile(
            folder, "generation_config.json", Array(configuration.generationJSON()))
        for file in options.alongside {
            try writeFile(folder, file.lastPathComponent, Array(Data(contentsOf: file)))
        }
        let named = zip(layout.entries, tensors).map {
            NamedTensor(name: $0.name, shape: $0.shape, tensor: $1)
        }
        try SafetensorsWriter(type: options.type, maximumShardBytes: options.maximumShardBytes)
            .write(named, into: folder)
    }

    private func writeFile(_ folder: URL, _ name: String, _ bytes: [UInt8]) throws {
        let file = try DurableFile(path: folder.appending(path: name).path)
        try file.write(bytes)
        try file.close()
    }
}
