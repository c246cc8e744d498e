#pragma once
#include <zlib.h>

// What zlib offers as macros only. 15 is its largest window; 16 asks for gzip's frame around it.

static inline int hone_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

static inline int hone_inflate_init(z_stream *stream) { return inflateInit2(stream, 15 + 16); }
