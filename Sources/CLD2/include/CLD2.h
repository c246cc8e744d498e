#pragma once
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What the detector found in a text: up to three languages, the most frequent first.
typedef struct {
    /// Codes as "en", "zh-Hant"; "un" where no language was found. They live as long as the program.
    const char *codes[3];
    /// The share of the text in each language, in percent.
    int percents[3];
    /// How well each fits its language, as bytes of score per 1024 bytes of text.
    double scores[3];
    /// Bytes of letters that were looked at.
    int text_bytes;
    /// Whether the detector stands by its first answer.
    bool is_reliable;
} hone_cld2_result;

/// Detects the languages of `length` bytes of plain text.
///
/// @param best_effort  answer also for texts too short to be sure of
/// @return the number of leading bytes that are valid UTF-8; less than `length` means that nothing
///   was detected
int hone_cld2_detect(const char *text, int length, bool best_effort, hone_cld2_result *result);

#ifdef __cplusplus
}
#endif
