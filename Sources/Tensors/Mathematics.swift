internal import Glibc

/// Both by way of double, so that the rounding is to the nearest float.
func cosineAndSine(_ angle: Float) -> (Float, Float) {
    (Float(Glibc.cos(Double(angle))), Float(Glibc.sin(Double(angle))))
}

func power(_ base: Double, _ exponent: Int) -> Double {
    Glibc.pow(base, Double(exponent))
}
