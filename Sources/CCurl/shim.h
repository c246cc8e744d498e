#pragma once
#include <curl/curl.h>

// libcurl's set and get calls are variadic; Swift needs one function for each kind of argument.
// The parentheses keep the type-checking macros out.

static inline CURLcode hone_curl_set_long(CURL *handle, CURLoption option, long value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode hone_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(handle, option, value);
}

/// Copies the text, except for CURLOPT_COPYPOSTFIELDS, which copies as many bytes as were set.
static inline CURLcode hone_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode hone_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return (curl_easy_setopt)(handle, option, value);
}

typedef size_t (*hone_curl_callback)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode hone_curl_set_callback(
    CURL *handle, CURLoption option, hone_curl_callback callback) {
    return (curl_easy_setopt)(handle, option, callback);
}

static inline CURLMcode hone_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

static inline CURLcode hone_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(handle, info, value);
}

static inline CURLcode hone_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return (curl_easy_getinfo)(handle, info, value);
}

static const size_t hone_curl_write_pause = CURL_WRITEFUNC_PAUSE;
