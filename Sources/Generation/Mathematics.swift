internal import Glibc

// Only this file names the C library: its functions hide others of the same name.

func exponential(_ x: Float) -> Float { Glibc.expf(x) }
func logarithm(_ x: Double) -> Double { Glibc.log(x) }
