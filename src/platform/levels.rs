//! How much of its architecture this machine has.

/// The levels of the architecture beyond the first that this machine's processor has, the lowest first.
///
/// Source: x86-64 psABI, table 3.1 (without LAHF and OSXSAVE, which no processor with the rest lacks).
pub fn levels_of_this_machine() -> &'static [&'static str] {
    #[cfg(target_arch = "x86_64")]
    {
        macro_rules! has { ($($feature:tt),*) => { $(std::arch::is_x86_feature_detected!($feature))&&* } }
        let v2 = has!("cmpxchg16b", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3");
        let v3 = v2 && has!("avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe");
        let v4 = v3 && has!("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl");
        match (v2, v3, v4) {
            (_, _, true) => &["v2", "v3", "v4"],
            (_, true, _) => &["v2", "v3"],
            (true, _, _) => &["v2"],
            _ => &[],
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    &[]
}
