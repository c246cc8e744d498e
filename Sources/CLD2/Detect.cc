#include "CLD2.h"

// The library names FILE in its header without including what declares it.
#include <cstdio>

#include <cld2/public/compact_lang_det.h>
#include <cld2/public/encodings.h>

int hone_cld2_detect(const char *text, int length, bool best_effort, hone_cld2_result *result) {
    CLD2::Language languages[3];
    int valid_bytes = 0;
    const CLD2::CLDHints hints = {nullptr, nullptr, CLD2::UNKNOWN_ENCODING, CLD2::UNKNOWN_LANGUAGE};
    CLD2::ExtDetectLanguageSummaryCheckUTF8(
        text, length, true, &hints, best_effort ? CLD2::kCLDFlagBestEffort : 0, languages,
        result->percents, result->scores, nullptr, &result->text_bytes, &result->is_reliable,
        &valid_bytes);
    for (int i = 0; i < 3; i++) result->codes[i] = CLD2::LanguageCode(languages[i]);
    return valid_bytes;
}
