internal import Glibc

/// A small seeded generator whose whole state is one number.
///
/// - Source: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
public struct RandomSource: RandomNumberGenerator, Sendable, Equatable {
    public var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// In [0, 1).
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// With mean 0 and deviation 1.
    ///
    /// - Source: Box and Muller 1958.
    public mutating func normal() -> Double {
        let radius = (-2 * Glibc.log(1 - uniform())).squareRoot()
        return radius * Glibc.cos(2 * .pi * uniform())
    }
}

extension Tensor {
    /// Fills it with normal values of mean 0.
    public func fillNormal(deviation: Double, from source: inout RandomSource) {
        for index in 0..<count {
            unsafe pointer[index] = Float(source.normal() * deviation)
        }
    }
}
