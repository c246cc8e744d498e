import Glibc

/// The exponential function, named here alone so that the C library stays out of other files.
enum Exponential {
    static func of(_ x: Double) -> Double { Glibc.exp(x) }
}
