internal import Glibc

func power(_ base: Float, _ exponent: Float) -> Float {
    Glibc.powf(base, exponent)
}
